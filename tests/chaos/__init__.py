"""The fault suite: the real bot, killed, cut off and refused, while every answer is counted."""
