"""`localpower chat`: turns, commands, the conversation's tokens and what each turn evaluates."""

from __future__ import annotations

import datetime
import json
import re

import pytest

from localpower.api.question import ask
from localpower.api.turns import conversation
from localpower.cli.chat import _converse
from localpower.cli.main import cli
from localpower.cli.slash import obey
from localpower.cli.talk import Talk
from localpower.errors import Interrupted, ModelError, UserError
from localpower.loading import Request, load
from localpower.runs.interrupt import Interrupts
from localpower.text.conversation import Conversation
from localpower.text.vocabulary import Vocabulary
from localpower.ui.editor import Message, read_message
from localpower.ui.history import history
from tests.cli.terminal import Terminal, command
from tests.gguf_files import TEMPLATE, write_llama

TOY = ("chat", "--model", "toy", "--seed", "1", "--max-tokens", "16")


def chat(lines, *arguments):
    return command(*(arguments or TOY), lines=lines)


def options_of(*arguments):
    return dict(cli.commands["chat"].make_context("chat", list(arguments)).params)


def test_each_line_of_a_pipe_is_answered_on_stdout_and_regen_uses_the_next_seed():
    done = chat(["hello there", "/regen", "and you"])
    again = chat(["hello there"], *TOY[:3], "--seed", "2", *TOY[5:])
    first, second, _ = done.stdout.splitlines()
    assert done.returncode == 0
    assert first == "the ?no oneno onedog "
    assert second == again.stdout.rstrip("\n")
    assert "seed 3 " in done.stderr


def test_three_quotes_hold_lines_together_and_two_slashes_send_one():
    done = chat(['"""first', 'second"""', "//help"])
    assert len(done.stdout.splitlines()) == 2
    assert "this list" not in done.stderr


class Said:
    """A talk that notes what is said."""

    def __init__(self):
        self.texts = []

    def say(self, text):
        self.texts.append(text)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (['"""/exit', 'is a command"""'], "/exit\nis a command"),
        (['"""/exit"""'], "/exit"),
        (['"""// a comment"""'], "// a comment"),
        (["//exit"], "/exit"),
        ([Message("/exit", literal=True)], "/exit"),
        ([Message("// a\n/exit", literal=True)], "// a\n/exit"),
        ([Message('"""one"""\ntwo', literal=True)], '"""one"""\ntwo'),
        (["// typed\nover lines"], "// typed\nover lines"),
        (["/set is\nexplained"], "/set is\nexplained"),
    ],
)
def test_only_a_single_typed_line_is_a_command(lines, said):
    talk, left = Said(), [line if isinstance(line, Message) else Message(line) for line in lines]

    class Lines:
        def read(self, prompt):
            return left.pop(0)

    message = read_message(Lines(), "")
    assert obey(message.text, talk, None, literal=message.literal)
    assert talk.texts == [said]


@pytest.fixture
def typing(tmp_path):
    """Begins a chat in a terminal, with sessions and a history in tmp_path."""

    def begun(*arguments):
        terminal = Terminal(*(arguments or TOY), environment={"LOCALPOWER_STATE": str(tmp_path)})
        terminal.wait_for(">>>")
        return terminal

    return begun


def test_a_pasted_text_that_begins_with_a_slash_is_a_message_in_a_real_terminal(typing):
    terminal = typing()
    terminal.enter("\x1b[200~/exit\x1b[201~", "seed 1")
    terminal.send("/exit\r")
    assert terminal.finish() == 0


def test_a_command_typed_where_a_pasted_text_was_taken_back_is_one(typing):
    terminal = typing()
    terminal.send("\x1b[200~/exit\x1b[201~\x15/exit\r")
    assert terminal.finish() == 0
    assert "seed" not in terminal.text


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("/nothing", "there is no command /nothing (/help lists them; // begins a message with a slash)"),
        ("/regen", "there is no answer yet to draw again"),
        ("/set alpha nan", "Invalid value for '--alpha': expected a number of at least 1, got nan"),
        ("/set alpha .5", "Invalid value for '--alpha': expected a number of at least 1, got .5"),
        (
            "/set temperature .1",
            "--temperature of a power proposal must be between 1/alpha = 0.25 and 1, got 0.1",
        ),
        ("/set threads 4", "threads cannot be changed in a chat (/set lists what can)"),
        ("/set method mcmc", "'mcmc' is none of"),
        ("/set cuts late", "cuts of power must be uniform, restart or entropy"),
    ],
)
def test_a_problem_costs_one_line_and_not_the_chat(line, words):
    done = chat([line, "hello there"])
    assert words in done.stderr
    assert done.stdout == "the ?no oneno onedog \n"
    assert done.returncode == 1, "nobody was there to read it"


def test_set_changes_shows_and_puts_back():
    told = {
        "alpha 3": "alpha 3.0 set",
        "alpha": "alpha 3.0 set",
        "alpha default": "alpha automatic: 4",
        "raw on": "raw on set",
        "stop x": "stop 'x' set",
        "stop default": "stop none default",
    }
    done = chat([f"/set {words}" for words in told])
    said = [" ".join(line.split()[:3]) for line in done.stderr.splitlines()]
    assert said[1:] == list(told.values())
    assert done.returncode == 0


def test_a_system_message_that_the_model_does_not_read_is_said_to_do_nothing():
    done = chat(["/system be kind", "/system"])
    assert done.stderr.count("note: --system is not used: this model has no chat template") == 1


def test_set_says_where_each_value_comes_from_and_what_it_does():
    done = chat(["/set method power:cuts=uniform", "/steps 7", "/set"])
    rows = {line.split()[0]: line for line in done.stderr.splitlines()}
    assert re.search(r"max-tokens +16 +command line +Most tokens of an answer", rows["max-tokens"])
    assert re.search(r"steps +7 +set here +Number of steps", rows["steps"])
    assert re.search(r"cuts +uniform +method +Where a step cuts", rows["cuts"])
    assert re.search(r"alpha +automatic: 4 +default +The power", rows["alpha"])


@pytest.mark.parametrize(
    ("method", "alpha", "temperature", "steps"),
    [
        ("power", "automatic: 4", "automatic: 0.25", "automatic: 5"),
        ("power:budget=3x", "automatic: 4", "automatic: 0.25", "automatic"),
        ("base", "automatic", "automatic", "automatic"),
    ],
)
def test_set_shows_what_automatic_comes_to_with_the_model_and_the_method(method, alpha, temperature, steps):
    done = chat([f"/set method {method}", "/set alpha", "/set temperature", "/set steps"])
    shown = [line[16:36].rstrip() for line in done.stderr.splitlines()[-3:]]
    assert shown == [alpha, temperature, steps]


def test_what_no_chat_can_change_says_why_or_how():
    said = chat(["/set top-k 5", "/set parameter alpha 3", "/set parameter x 3"]).stderr
    assert "localpower: top-k is refused: it would change the target" in said
    assert "localpower: parameter is no setting here (/set alpha 3)" in said
    assert "localpower: parameter cannot be changed in a chat (/set lists what can)" in said


def talk_with(loaded, *arguments):
    options = options_of("--max-tokens", "12", "--seed", "5", *arguments)
    return Talk(loaded, options, 5, Interrupts())


@pytest.mark.parametrize(("kind", "answers_kept"), [("tiny16", False), ("tiny16_shared", True)])
def test_a_turn_evaluates_what_is_new_and_in_streams_reads_the_answer_before_it(
    request, kind, answers_kept, capsys
):
    talk = talk_with(request.getfixturevalue(kind), "--method", "base")
    talk.say("ab")
    talk.say("ba")
    talk.again()
    first, second, third = talk.chat.answers
    answer = first.n_tokens - (first.finish == "stop")
    assert first.prefill_tokens == first.prompt_tokens == len("[ab]:")
    assert second.prompt_tokens == len("[ab]:") + answer + len("[ba]:")
    kept = first.prompt_tokens - 1 + answers_kept * first.n_tokens  # the last token drawn was not evaluated
    assert second.prefill_tokens == second.prompt_tokens - kept
    assert third.prefill_tokens == 1


@pytest.mark.parametrize(("kind", "answers_kept"), [("tiny16", False), ("tiny16_shared", True)])
def test_a_conversation_outgrows_its_cache_and_evaluates_no_prompt_again(request, kind, answers_kept, capsys):
    talk = talk_with(request.getfixturevalue(kind), "--method", "base")
    sizes = set()
    for _ in range(40):
        talk.say("abcabcabcabcabcabc")
        sizes.add(talk.chat._model._engine.n_cells)
    assert len(sizes) > 1
    for before, turn in zip(talk.chat.answers, talk.chat.answers[1:], strict=False):
        new = turn.prompt_tokens - before.prompt_tokens - answers_kept * before.n_tokens + 1
        assert turn.prefill_tokens <= new + 1


def test_a_conversation_longer_than_the_context_is_refused_and_goes_on(tiny16, capsys):
    talk = talk_with(tiny16, "--method", "base")
    with pytest.raises(UserError, match="more than the context of 2048"):
        talk.say("abc" * 1000)
    talk.say("ab")
    assert talk.chat.answers[0].prompt_tokens == len("[ab]:"), "the refused message was not said"


def test_a_full_context_is_told_with_what_a_chat_can_do_about_it(tiny_paths):
    done = chat(["abc" * 1000], "chat", "-m", str(tiny_paths["f16"]), "--method", "base")
    assert "(a shorter message, or a shorter answer by /set max-tokens N)" in done.stderr


def test_a_context_that_was_made_short_may_be_longer_and_the_memory_is_said(tiny_paths):
    lines = ["abc" * 10, "abc" * 10]
    arguments = ("--ctx", "80", "--method", "base", "--max-tokens", "16")
    done = chat(lines, "chat", "-m", tiny_paths["f16"], *arguments)
    assert re.search(
        r"\(/drop 1 forgets the oldest turn, /clear all of them; chat --ctx 1024 has room and takes \d+ MB\)",
        done.stderr,
    )


def test_a_chat_without_a_template_goes_on_in_the_text(tiny, capsys):
    talk = talk_with(tiny, "--method", "base", "--raw")
    talk.say("abc")
    talk.say("cab")
    first, second = talk.chat.answers
    answer = first.n_tokens - (first.finish == "stop")
    assert second.prompt_tokens == 3 + answer + 3, "the line break is not in this vocabulary"


class Letters:
    """A speller whose tokens are bytes, but 'ab' may also be the single token 300."""

    def __init__(self, template):
        self._template = template

    def tokenize(self, text, *, parse_special):
        return list(text)

    def piece(self, token):
        return b"ab" if token == 300 else bytes([token])

    def control_tokens(self):
        return {}

    def bos(self):
        return None

    def special_token(self, kind):
        return ""

    def chat_template(self):
        return self._template


LOOP = "{% for m in messages %}<{{ CONTENT }}>{% endfor %}"


def prompt_of(content):
    talk = Conversation(started=datetime.datetime(2026, 1, 1))
    talk.ask("q")
    talk.answer("xab", (120, 300))
    talk.ask("r")
    vocabulary = Vocabulary(Letters(LOOP.replace("CONTENT", content)))
    return vocabulary.chat_prompt(talk)


def test_the_next_prompt_holds_an_answer_as_it_was_drawn():
    assert prompt_of("m.content") == (*b"<q><", 120, 300, *b"><r>")


def test_a_template_that_changes_an_answer_has_its_way():
    assert prompt_of("m.content.split('x')[-1]") == tuple(b"<q><ab><r>")


def test_a_template_that_drops_whole_answers_is_refused():
    with pytest.raises(ModelError, match="leaves out the assistant message"):
        prompt_of("m.content if m.role == 'user' else ''")


MARKED = "{% for m in messages %}<|U|>{{ m.content }}{% endfor %}<|A|>"


def test_marks_that_a_file_calls_user_defined_cannot_be_typed(tmp_path):
    path = write_llama(tmp_path / "m.gguf", "abUA<|>", template=MARKED, marks=["<|U|>", "<|A|>"])
    loaded = load(Request(str(path)))
    user, model = 7, 8
    tokens = loaded.prompt(Conversation.of("a<|A|>b<|U|>"), raw=False, arguments={})
    assert (tokens[0], tokens[-1]) == (user, model)
    assert not {user, model} & set(tokens[1:-1])


class Spaced(Letters):
    """As SentencePiece models: a space before a text that begins or follows a control token."""

    def tokenize(self, text, *, parse_special):
        tokens = []
        for i, part in enumerate(text.split(b"<s>") if parse_special else [text]):
            tokens += [999] * (i > 0) + (list(b" " + part) if part else [])
        return tokens

    def control_tokens(self):
        return {"<s>": 999}


def test_a_spliced_answer_adds_no_spaces():
    template = "{% for m in messages %}<s>{{ m.content }}!{% endfor %}"
    talk = Conversation.of("q")
    talk.answer("x", tuple(b" x"))
    talk.ask("a<s>b")
    vocabulary = Vocabulary(Spaced(template))
    assert vocabulary.chat_prompt(talk) == (999, *b" q!", 999, *b" x!", 999, *b" a<s>b!")
    assert vocabulary.raw_prompt(talk) == tuple(b" q x\na<s>b")


def test_text_that_holds_every_noncharacter_is_still_a_prompt():
    text = "".join(chr(code) for code in range(0xFDD0, 0xFDF0))
    assert Vocabulary(Letters(LOOP.replace("CONTENT", "m.content"))).chat_prompt(Conversation.of(text))


class Stopping(Interrupts):
    """Ctrl-C at the moment when the state has ended and steps are still to come."""

    def __init__(self, talk_tokens):
        super().__init__()
        self._left = talk_tokens

    def check(self):
        self._left -= 1
        if self._left % 300 == 0:
            self.requested = True
            raise Interrupted


def test_an_answer_stopped_after_its_end_leaves_one_end_in_the_next_prompt(tiny16, capsys):
    options = options_of("--max-tokens", "64", "--steps", "1000", "--method", "power:block=64")
    talk = Talk(tiny16, options, 5, Stopping(300))
    talk.say("ab")
    (turn,) = talk.chat.answers
    assert turn.finish == "interrupted"
    assert turn.tokens[-1] in talk.chat._model._engine.eos
    assert talk.chat.turns[0].answer.tokens == turn.tokens[:-1]


def test_a_stop_in_the_text_is_not_in_the_next_prompt(tiny16, capsys):
    talk = talk_with(tiny16, "--stop", "a", "--stop", "b", "--stop", "c")
    talk.say("ab")
    (turn,) = talk.chat.answers
    assert turn.finish == "stop"
    assert tiny16.piece(turn.tokens[-1]) in (b"a", b"b", b"c"), "a stop ended it, not the end token"
    assert talk.chat.turns[0].answer.tokens == turn.tokens[:-1]
    assert not set("abc") & set(talk.chat.messages[1]["content"])


def test_a_hybrid_model_changes_its_number_of_chains(tiny_hybrid, capsys):
    talk = talk_with(tiny_hybrid, "--raw")
    talk.say("abc")
    talk.set(talk.options | {"chains": 2})
    talk.say("cab")
    talk.set(talk.options | {"chains": 1})
    talk.say("b")
    assert len(talk.chat.answers) == 3


def test_a_failed_turn_leaves_the_conversation_as_it_was(tiny16, capsys, monkeypatch):
    talk = talk_with(tiny16, "--method", "base")
    talk.say("ab")
    before = talk.chat.to_dict()

    def fails(*_):
        raise UserError("no")

    monkeypatch.setattr(talk.chat, "_answer", fails)
    for turn in (lambda: talk.say("x"), talk.again, lambda: talk.edit("y")):
        with pytest.raises(UserError):
            turn()
        assert talk.chat.to_dict() == before


def test_a_text_in_quotes_that_never_ends_is_told():
    done = chat(['"""one', "two"])
    assert "the text in three quotes was not closed" in done.stderr
    assert done.returncode == 1


def test_bytes_that_are_no_text_cost_one_line_of_a_typed_chat(typing, tiny_paths):
    terminal = typing("chat", "-m", str(tiny_paths["f16"]), "--seed", "1")
    terminal.send(b"a\xe9b\r")
    terminal.wait_for("lone surrogate at character 2", end=">>>")
    terminal.enter("ab", "seed 1", end=">>>")
    terminal.leave()


def test_ctrl_c_keeps_what_was_accepted_and_the_chat_goes_on(typing):
    terminal = typing(*TOY[:5], "--max-tokens", "4000", "--method", "power:block=40", "--steps", "999999")
    terminal.enter("hello", "step", "accepted")
    terminal.interrupt()
    terminal.wait_for("this is the last accepted state", end=">>>")
    terminal.enter("/stats", "seconds", end=">>>")
    terminal.interrupt()
    terminal.wait_for("Ctrl-D or /exit leaves")
    terminal.leave()
    assert not terminal.cursor_hidden


@pytest.mark.parametrize(("typed", "code", "turns"), [(False, 130, 1), (True, 0, 2)])
def test_ctrl_c_ends_a_chat_in_which_nobody_types(tiny16, capsys, typed, code, turns):
    class Lines:
        lines = iter(["ab", "ba"])

        def read(self, prompt):
            line = next(self.lines, None)
            if line is None:
                raise EOFError
            return Message(line)

    options = options_of("--max-tokens", "64", "--steps", "1000", "--method", "power:block=64")
    talk = Talk(tiny16, options, 5, Stopping(300))
    assert _converse(talk, Lines(), None, typed=typed) == code
    assert len(talk.chat.answers) == turns


def test_a_message_of_two_lines_is_typed_with_alt_enter_and_comes_back_from_the_history(typing):
    terminal = typing()
    terminal.enter("hello\x1b\rthere", "seed 1", end=">>>")
    terminal.leave()
    later = typing()
    later.send("\x1b[A")
    later.wait_for("hello", "... there")
    later.enter("", "seed 1", end=">>>")
    later.leave()


def test_sigterm_at_the_prompt_restores_the_terminal(typing):
    terminal = typing()
    terminal.child.kill(15)
    assert terminal.finish() == 130
    assert not terminal.cursor_hidden


def test_answers_to_a_message_are_kept_and_walked_through(tiny16, capsys):
    talk = talk_with(tiny16, "--method", "base")
    talk.say("ab")
    for _ in range(2):
        talk.again()
    (turn,) = talk.chat.turns
    texts = [each.text for each in turn.answers]
    assert (len(set(texts)), turn.chosen) == (3, 2)
    walked = [talk.chat.alternative().answer.text for _ in range(3)]
    assert walked == texts
    assert talk.chat.alternative(-1).answer.text == texts[1]
    talk.say("c")
    assert talk.chat.messages[1]["content"] == texts[1], (
        "the conversation goes on from the one that was chosen"
    )


def test_undo_edit_and_drop_change_what_was_said(tiny16, capsys):
    talk = talk_with(tiny16, "--method", "base")
    for text in ("a", "b", "c"):
        talk.say(text)
    assert talk.chat.undo().question == "c"
    talk.edit("ca")
    assert [turn.question for turn in talk.chat.turns] == ["a", "ca"]
    talk.chat.drop(1)
    assert [turn.question for turn in talk.chat.turns] == ["ca"]
    with pytest.raises(UserError, match="2 turns cannot be forgotten: there is 1"):
        talk.chat.drop(2)


def test_a_full_context_names_how_many_turns_must_go(tiny16, capsys):
    talk = talk_with(tiny16, "--method", "base")
    for _ in range(3):
        talk.say("abc" * 100)
    with pytest.raises(UserError, match="more than the context of 2048") as full:
        talk.say("abc" * 550)
    assert full.value.hint == "/drop 2 forgets the oldest 2 turns, /clear all of them"
    talk.chat.drop(2)
    talk.say("abc" * 550)


def test_a_trace_tells_how_the_last_answer_came_about():
    done = chat(["hello there", "/trace"], *TOY, "--seed", "4")
    lines = [
        line for line in done.stderr.splitlines() if " · from token " in line or "changed nothing" in line
    ]
    assert lines[0].startswith("drawn     log p ")
    assert done.stdout.strip() in " ".join(lines)


def test_a_trace_says_so_where_it_is_not_of_the_answer_that_is_shown():
    said = chat(["hello there", "/regen", "/trace", "/alt", "/trace", "/diagnose"]).stderr
    assert said.count("This is about answer 2 of 2, which was drawn last; answer 1 is shown.") == 2


def test_a_conversation_is_exported_for_people_and_for_programs(tmp_path):
    done = chat(["hello there", *(f"/export {tmp_path}/a.{form}" for form in ("md", "json", "md"))])
    assert "**You:** hello there\n\n**toy:** the ?no oneno onedog" in (tmp_path / "a.md").read_text()
    values = json.loads((tmp_path / "a.json").read_text())
    assert [message["role"] for message in values["messages"]] == ["user", "assistant"]
    assert values["turns"][0]["answers"][0]["tokens"]
    assert f"{tmp_path}/a.md exists already" in done.stderr


def test_another_model_goes_on_with_what_was_said(tiny_paths):
    lines = ["abc", f"/model {tiny_paths['f16']}", "ba", "/stats"]
    done = chat(lines, "chat", "-m", tiny_paths["f32"], "--method", "base", "--max-tokens", "4")
    assert done.returncode == 0
    assert "f16 ·" in done.stderr
    assert len(done.stdout.splitlines()) >= 2


@pytest.mark.parametrize("line", ["/undo foo", "/clear now", "/exit now", "/regen x"])
def test_a_command_that_takes_no_text_refuses_one(line):
    done = chat(["hello there", line])
    assert "takes no text" in done.stderr or "there is no command /exit" in done.stderr
    assert done.returncode == 1


def test_a_trace_is_that_of_the_chain_that_was_picked(tiny16, capsys):
    talk = talk_with(tiny16, "--chains", "3", "--steps", "3")
    talk.say("ab")
    (answer,) = talk.chat.answers
    lines = list(history(talk.heard.chains[talk.heard.picked], tiny16.piece))
    assert any(f"log p {answer.log_p:.2f}" in line for line in lines)
    assert talk.heard.picked == answer.picked


def test_a_trace_of_several_answers_is_that_of_the_one_that_was_chosen(tiny16, capsys):
    talk = talk_with(tiny16, "--method", "best-of-n:n=4")
    talk.say("ab")
    (line,) = history(talk.heard.chains[0], tiny16.piece)
    assert f"log p {talk.chat.answers[0].log_p:.2f}" in line


def test_how_many_turns_must_go_is_found_by_halving(tiny16, capsys, monkeypatch):
    from localpower.api import chat as module

    talk, asked = talk_with(tiny16, "--method", "base", "--max-tokens", "1"), []
    for _ in range(12):
        talk.say("abc" * 30)
    monkeypatch.setattr(module, "ask", lambda *given: asked.append(1) or ask(*given))
    for length, n in ((330, 1), (500, 7), (660, 12), (900, None)):
        asked.clear()
        assert talk.chat.to_drop("abc" * length) == n
        assert len(asked) <= 4
        assert n is None or (fits(talk, n, "abc" * length) and not fits(talk, n - 1, "abc" * length))


def fits(talk, n, text):
    """Whether a message and its answer fit after the first n turns are gone."""
    said = conversation(talk.chat.turns[n:], text, datetime.datetime.now())
    return len(ask(talk.loaded, said, talk.chat.options, talk.chat.prompting).prompt) + 1 <= 2048


def test_the_tokens_of_an_answer_that_a_mark_of_thoughts_stopped_are_kept(tmp_path, capsys):
    """A mark is a control token with a text; the next prompt holds what was drawn before it, and reads nothing again."""
    path = write_llama(tmp_path / "m.gguf", "abc[]:", template=TEMPLATE, marks=("<think>", "</think>"))
    stops = ("--stop", "</think>", "--stop", "<think>")
    talk = talk_with(load(Request(str(path))), *stops, "--method", "base", "--max-tokens", "64")
    talk.chat.seed = next(seed for seed in range(1, 50) if stopped(talk, seed))
    kept = talk.chat.turns[-1].answer.tokens
    assert kept == talk.chat.answers[-1].tokens[:-1]


def stopped(talk, seed):
    """Whether the answer from this seed ends at a stop."""
    talk.chat.seed = seed
    talk.say("ab")
    return talk.loaded.piece(talk.chat.answers[-1].tokens[-1]) in (b"</think>", b"<think>")


@pytest.mark.parametrize(
    ("lines", "questions"),
    [
        (("/read {}/a", "/read {}/b", "cab", "c"), ["aaa\n\nbbb\n\ncab", "c"]),
        (("c", "/read {}/a", "/undo", "b"), ["c", "b"]),
    ],
    ids=["before the next message and no other", "undo takes a file before a message"],
)
def test_files_that_are_read(lines, questions, tiny16, capsys, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_text(f"{name * 3}\n")
    talk = talk_with(tiny16, "--method", "base", "--max-tokens", "4")
    for line in lines:
        assert obey(line.format(tmp_path), talk, None)
    assert [turn.question for turn in talk.chat.turns] == questions


def test_a_message_that_was_refused_leaves_the_file_for_the_next(tiny16, capsys, tmp_path):
    (tmp_path / "a").write_text("aaa")
    talk = talk_with(tiny16, "--method", "base", "--max-tokens", "4")
    obey(f"/read {tmp_path / 'a'}", talk, None)
    with pytest.raises(UserError, match="more than the context"):
        obey("b" * 3000, talk, None)
    obey("b", talk, None)
    assert talk.chat.turns[0].question == "aaa\n\nb"


@pytest.mark.parametrize(
    ("line", "meant"), [("/regn", "/regen"), ("/retry", "/regen"), ("/stop x", "/set stop")]
)
def test_a_command_that_there_is_none_of_names_the_one_that_was_meant(line, meant, tiny16):
    context = cli.commands["chat"].make_context("chat", [])
    with pytest.raises(UserError) as error:
        obey(line, talk_with(tiny16), context)
    assert error.value.hint.startswith(f"did you mean {meant}? ")


def test_what_is_pasted_while_an_answer_is_drawn_is_one_message_however_long(typing, tmp_path):
    terminal = typing("chat", "-m", "toy", "--seed", "1", "--max-tokens", "40", "--steps", "300")
    terminal.enter("hello", "/300")
    assert terminal.raw.rindex(b"\x1b[?2004h") > terminal.raw.rindex(b"\x1b[?2004l"), "pastes are marked"
    pasted = "dog " * 1200 + "\none\r\nno"
    terminal.send(f"\x1b[200~{pasted}\x1b[201~")
    terminal.wait_until(lambda t: t.lines()[-1] == "... no")
    terminal.enter("", "seed 2")
    terminal.leave()
    assert terminal.raw.rindex(b"\x1b[?2004l") > terminal.raw.rindex(b"\x1b[?2004h"), "the mode is put back"
    (kept,) = (tmp_path / "sessions").glob("*.json")
    questions = [turn["question"] for turn in json.loads(kept.read_text())["chat"]["turns"]]
    assert questions == ["hello", "dog " * 1200 + "\none\nno"]
