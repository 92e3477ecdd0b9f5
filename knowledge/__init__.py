"""The subject, in pure Python: no Slack, no SQL, no HTTP."""
