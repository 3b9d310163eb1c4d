"""Everything that starts, stops and installs SmartLock; the product itself imports nothing from here."""
