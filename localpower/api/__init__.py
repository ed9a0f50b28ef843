"""What users call, in Python and from the command line alike: models, answers, chats, evals. See docs/api.md."""
