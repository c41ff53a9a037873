"""One book under several policies."""
