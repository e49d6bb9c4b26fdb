"""The shared words, as open data: trades, sectors and places. README.md says whose they are."""
