"""A stay's whole life, told in seconds to whoever watches: `make story`."""
