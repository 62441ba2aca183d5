"""The laboratory: benchmarks, ablations, resumable training. Nothing but the command line imports it."""
