"""Presentation, pure: answers in, messages out."""
