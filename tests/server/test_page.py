"""The page: one file that asks nobody but this server, and a browser that runs it."""

from __future__ import annotations

import re

import pytest

from localpower.server.page import html
from tests.server.browser import Browser, found
from tests.server.test_process import running


def test_the_page_loads_nothing_from_elsewhere():
    assert not re.search(r"(src|href)=\"(?!data:)", html())
    assert not re.search(r"@import|url\(|//[a-z]+\.[a-z]", html().replace("http://www.w3.org/2000/svg", ""))
    assert "innerHTML" not in html(), "what a model writes is never markup"


def test_the_page_is_bound_to_its_own_script(client):
    policy = client.get("/").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.skipif(found() is None, reason="no Chromium is installed")
def test_a_browser_shows_the_chain_keeps_the_chat_and_fits_narrow_and_wide(tmp_path):
    with running() as server:
        browser = Browser(tmp_path, width=400, height=800)
        try:
            browser.go(f"{server.url}/")
            browser.until("document.getElementById('method').options.length > 3")
            browser.run("at('seed').value = '3'; at('steps').value = '6'")
            browser.send("one two")
            browser.until("!running && now.turns.length === 2")
            turn = browser.run("now.turns[1]")
            assert "problem" not in turn
            assert len(turn["steps"]) == 6
            assert turn["facts"]["seed"] == 3
            assert browser.run("document.querySelector('.turn.assistant').textContent") == turn["content"]
            assert len(browser.run("document.querySelector('.strip').textContent")) == 6
            assert "log p" in browser.run("document.querySelector('.chain').textContent")
            assert browser.run("document.documentElement.scrollWidth") == 400
            browser.run("window.before = true")
            browser.call("Page.reload")
            browser.until("!window.before && !!document.querySelector('.turn.assistant')")
            assert browser.run("now.turns[1].content") == turn["content"]
            browser.resize(1300, 900)
            assert browser.run("document.documentElement.scrollWidth") == 1300
            assert browser.run("getComputedStyle(document.getElementById('settings')).display") == "block"
            browser.run("at('alpha').value = '0.5'")
            browser.send("again")
            browser.until("!running && now.turns.length === 4")
            assert "alpha" in browser.run("document.querySelector('.problem').textContent")
            told = [each["entry"] for each in browser.errors if "entry" in each]
            assert not [one for one in told if one["level"] == "error" and "400" not in one["text"]]
        finally:
            browser.close()
