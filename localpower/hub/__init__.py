"""The model hub: what a repository has, fetching a file into the hub's own cache, taking one out of it.

Only this room imports huggingface_hub, which takes .3 s. Its variables are heeded: HF_ENDPOINT, HF_TOKEN, HF_HOME,
HF_HUB_CACHE, HF_HUB_OFFLINE.
"""
