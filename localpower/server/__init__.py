"""The server (extra `localpower[server]`): OpenAI's protocol in, answers from one batch out.

`app.create` makes an ASGI application of a loaded model, `serving.serve` runs it on a socket. A request is read into
frozen values (`fields`, `parse`), asked of the model (`api.question`), queued for the one thread that owns the engine
(`scheduler`), and told to its client (`replies`, `streaming`).
"""
