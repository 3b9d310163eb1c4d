"""The timeline: units down, days across, stays as bars. ``board`` lays out, ``reading`` fetches, ``views`` shows."""
