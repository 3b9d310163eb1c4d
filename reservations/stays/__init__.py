"""Stays as a source: its API (``client``) and the shapes it speaks (``payloads``)."""
