"""After the trigger, one position at a time: the twin of ``rust/levcore/src/closing``, in Python integers."""
