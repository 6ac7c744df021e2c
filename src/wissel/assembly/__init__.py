"""The only place that chooses: port to adapter, store, clock, settings; one file per owner."""
