"""Coroutines and async generators."""
