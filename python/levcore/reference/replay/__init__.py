"""A replay with the whole book evaluated anew after each step: the twin of ``rust/levcore/src/replay``."""
