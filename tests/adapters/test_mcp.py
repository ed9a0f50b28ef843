"""`localpower mcp`, asked by the client of the protocol's own SDK over stdio."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys

import pytest

import localpower as lp
from localpower.cli.main import main


def client():
    return pytest.importorskip("mcp", reason="mcp is not installed: pip install 'localpower[mcp]'")


def talk(conversation, *words):
    """Run a conversation with a server of its own."""
    mcp = client()
    from mcp.client.stdio import stdio_client

    server = mcp.StdioServerParameters(
        command=sys.executable, args=["-m", "localpower", "mcp", *words], env=dict(os.environ)
    )

    async def run():
        async with stdio_client(server) as streams, mcp.ClientSession(*streams) as session:
            await session.initialize()
            return await conversation(session)

    return asyncio.run(asyncio.wait_for(run(), 120))


def test_a_client_lists_the_tool_and_gets_the_librarys_answers_and_refusals(toy):
    async def conversation(session):
        (tool,) = (await session.list_tools()).tools
        ask = [
            {"prompt": "the cat", "seed": 4, "steps": 3},
            {"prompt": "the dog", "seed": 5, "method": "smc:particles=2", "alpha": 2, "stop": ["dog"]},
        ]
        answers = await asyncio.gather(*(session.call_tool("power_sample", each) for each in ask))
        wrong = [{"prompt": "the cat", "alpha": 0.5}, {"prompt": " "}, {"prompt": "a", "system": "b"}, {}]
        wrong += [{"prompt": "a", "top_p": 0.5}, {"prompt": "a", "stepz": 5}, {"prompt": "a", "seed": "x"}]
        return tool, answers, [await session.call_tool("power_sample", each) for each in wrong]

    tool, answers, refused = talk(conversation, "-m", "toy")
    assert tool.name == "power_sample"
    assert "p(answer | prompt)^alpha" in tool.description
    own = [
        toy.generate("the cat", lp.Power(steps=3), seed=4),
        toy.generate("the dog", lp.SMC(particles=2, alpha=2), seed=5, stops=["dog"]),
    ]
    found = [json.loads(answer.content[0].text) for answer in answers]
    assert [each["text"] for each in found] == [each.text for each in own]
    assert [each["log_p"] for each in found] == [each.log_p for each in own]
    assert [each["guarantee"] for each in found] == ["invariant", "asymptotic"]
    said = [answer.content[0].text for answer in refused]
    assert all(answer.is_error for answer in refused)
    assert "alpha of power must be a number from 1" in said[0]
    assert "the prompt is empty" in said[1]
    assert "no chat template for a system message" in said[2]
    assert said[3] == "prompt: Field required"
    assert said[4].startswith("top_p=0.5 is refused: it would change the target")
    assert said[5].startswith("there is no argument 'stepz' (the tool has prompt, system, method")
    assert said[6].startswith("seed: Input should be a valid integer")


def test_a_call_that_is_given_up_frees_the_model_for_the_next_one():
    client()
    from localpower.adapters.mcp import Sampler
    from localpower.loading import Request

    sampler = Sampler(Request("toy"))

    async def run():
        last = sampler._interrupts.call
        first = asyncio.create_task(sampler.power_sample("the cat", method="power:steps=100000", seed=1))
        while sampler._interrupts.call is last:
            await asyncio.sleep(0)
        first.cancel()
        return await sampler.power_sample("the cat", seed=1)

    found = asyncio.run(asyncio.wait_for(run(), 60))
    assert found["finish"] == "stop"
    sampler.close()


def test_stdout_holds_nothing_but_the_protocol_and_the_server_ends_with_its_client():
    client()
    hello = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    }
    endless = {"prompt": "the cat", "method": "power:steps=100000000"}
    said = [
        {"id": 1, "method": "initialize", "params": hello},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/call", "params": {"name": "power_sample", "arguments": endless}},
    ]
    done = subprocess.run(
        [sys.executable, "-m", "localpower", "mcp", "-m", "toy"],
        input="".join(json.dumps({"jsonrpc": "2.0"} | each) + "\n" for each in said) + "no JSON\n",
        capture_output=True,
        text=True,
        check=True,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(each["jsonrpc"] == "2.0" for each in answers)
    assert answers[0]["result"]["serverInfo"]["name"] == "localpower"
    assert "Traceback" not in done.stderr


def test_a_model_that_is_not_here_and_a_package_that_is_missing_are_one_line(capsys, monkeypatch):
    assert main(["mcp", "-m", "smolm2"]) == 1
    assert capsys.readouterr().err == "localpower: there is no model smolm2 (did you mean smollm2?)\n"
    assert main(["mcp", "-m", "nowhere"]) == 1
    assert capsys.readouterr().err.startswith(
        "localpower: there is no file nowhere (-m takes a GGUF file or a name"
    )
    monkeypatch.setitem(sys.modules, "mcp.server", None)
    monkeypatch.delitem(sys.modules, "localpower.adapters.mcp", raising=False)
    assert main(["mcp", "-m", "toy"]) == 1
    said = capsys.readouterr().err
    assert said == "localpower: this command needs the package mcp (pip install 'localpower[mcp]')\n"
