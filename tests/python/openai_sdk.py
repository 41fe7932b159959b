"""The official openai SDK through `narthex proxy`, with only base_url changed.

usage: openai_sdk.py BASE_URL MODEL
"""
import json
import sys
import unittest

import openai

BASE_URL, MODEL = sys.argv[1:3]
client = openai.OpenAI(base_url=BASE_URL, api_key="not-used-by-the-proxy", max_retries=0, timeout=120)
QUESTION = [{"role": "user", "content": "What is the capital of France? Answer in one sentence."}]


class Chat(unittest.TestCase):
    def test_whole_answer(self):
        answer = client.chat.completions.create(model=MODEL, messages=QUESTION, max_tokens=24, temperature=0)
        self.assertEqual(answer.object, "chat.completion")
        self.assertEqual(answer.model, MODEL)
        self.assertEqual(answer.choices[0].message.role, "assistant")
        self.assertIn("Paris", answer.choices[0].message.content)
        self.assertIn(answer.choices[0].finish_reason, ("stop", "length"))
        self.assertEqual(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens)
        self.assertLessEqual(answer.usage.completion_tokens, 24)
        self.assertTrue(answer.system_fingerprint)

    def test_stream_equals_whole(self):
        whole = client.chat.completions.create(model=MODEL, messages=QUESTION, max_tokens=24, temperature=0)
        stream = client.chat.completions.create(
            model=MODEL, messages=QUESTION, max_tokens=24, temperature=0, stream=True, stream_options={"include_usage": True}
        )
        chunks = list(stream)
        text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        self.assertEqual(text, whole.choices[0].message.content)
        self.assertEqual(chunks[0].choices[0].delta.role, "assistant")
        finish = [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason]
        self.assertEqual(finish, [whole.choices[0].finish_reason])
        self.assertEqual(chunks[-1].choices, [])
        self.assertEqual(chunks[-1].usage, whole.usage)
        self.assertEqual(len({c.id for c in chunks}), 1)

    def test_several_chunks_arrive(self):
        # What is made within one beat of a padded stream arrives as one chunk.
        story = [{"role": "user", "content": "Write a long story about a lighthouse."}]
        stream = client.chat.completions.create(model=MODEL, messages=story, max_tokens=160, temperature=0, stream=True)
        self.assertGreater(sum(1 for c in stream if c.choices and c.choices[0].delta.content), 1)

    def test_seed_repeats(self):
        def ask(seed):
            return client.chat.completions.create(model=MODEL, messages=QUESTION, max_tokens=16, temperature=1.5, seed=seed).choices[0].message.content

        self.assertEqual(ask(7), ask(7))
        self.assertGreater(len({ask(seed) for seed in range(4)}), 1)

    def test_stop_string(self):
        answer = client.chat.completions.create(model=MODEL, messages=QUESTION, max_tokens=24, temperature=0, stop=["Paris"])
        self.assertNotIn("Paris", answer.choices[0].message.content)
        self.assertEqual(answer.choices[0].finish_reason, "stop")

    def test_early_close_leaves_the_server_well(self):
        stream = client.chat.completions.create(model=MODEL, messages=QUESTION, max_tokens=200, temperature=1, stream=True)
        next(iter(stream))
        stream.close()
        self.test_whole_answer()

    def test_system_message_and_content_parts(self):
        messages = [
            {"role": "system", "content": "You are terse."},
            {"role": "user", "content": [{"type": "text", "text": "What is the capital of France?"}]},
        ]
        answer = client.chat.completions.create(model=MODEL, messages=messages, max_completion_tokens=16, temperature=0)
        self.assertTrue(answer.choices[0].message.content)

    def test_raw_response_names_the_request(self):
        raw = client.chat.completions.with_raw_response.create(model=MODEL, messages=QUESTION, max_tokens=4, temperature=0)
        self.assertEqual(len(raw.headers["narthex-request-id"]), 32)
        self.assertTrue(raw.headers["narthex-node"])


class Choices(unittest.TestCase):
    def test_several_choices_differ_and_repeat(self):
        def ask():
            return client.chat.completions.create(model=MODEL, messages=QUESTION, max_tokens=8, temperature=1.8, seed=5, n=3)

        answer = ask()
        texts = [c.message.content for c in answer.choices]
        self.assertEqual([c.index for c in answer.choices], [0, 1, 2])
        self.assertGreater(len(set(texts)), 1)
        self.assertEqual(texts, [c.message.content for c in ask().choices])
        self.assertLessEqual(answer.usage.completion_tokens, 24)

    def test_streamed_choices_equal_whole_ones(self):
        asked = dict(model=MODEL, messages=QUESTION, max_tokens=8, temperature=1.8, seed=5, n=2)
        whole = client.chat.completions.create(**asked)
        texts = ["", ""]
        for chunk in client.chat.completions.create(**asked, stream=True):
            for choice in chunk.choices:
                texts[choice.index] += choice.delta.content or ""
        self.assertEqual(texts, [c.message.content for c in whole.choices])

    def test_several_prompts_and_token_ids(self):
        answer = client.completions.create(model=MODEL, prompt=["The capital of France is", "Two and two are"], max_tokens=4, temperature=0)
        self.assertEqual([c.index for c in answer.choices], [0, 1])
        self.assertIn("Paris", answer.choices[0].text)
        tokens = client.completions.create(model=MODEL, prompt=[504, 3575, 282], max_tokens=2, temperature=0)
        self.assertEqual(tokens.usage.prompt_tokens, 3)

    def test_penalties_and_bias_change_the_answer(self):
        def ask(**extra):
            return client.chat.completions.create(model=MODEL, messages=QUESTION, max_tokens=12, temperature=0, **extra).choices[0]

        told = ask(logprobs=True, top_logprobs=5).logprobs.content
        plain = ask().message.content
        repeated = [{"role": "user", "content": "Say: no no no no no no no no"}]
        penalised = client.chat.completions.create(
            model=MODEL, messages=repeated, max_tokens=16, temperature=0, frequency_penalty=2, presence_penalty=2
        )
        self.assertTrue(penalised.choices[0].message.content)
        self.assertEqual("".join(t.token for t in told), plain)
        banned = {str(token): -100 for token in range(0, 49152, 49)}
        self.assertTrue(ask(logit_bias=banned).message.content is not None)
        self.assertTrue(ask(extra_body={"top_k": 1, "min_p": 0.5}).message.content)

    def test_logprobs(self):
        answer = client.chat.completions.create(
            model=MODEL, messages=QUESTION, max_tokens=4, temperature=0, logprobs=True, top_logprobs=3
        )
        tokens = answer.choices[0].logprobs.content
        self.assertEqual(len(tokens), answer.usage.completion_tokens)
        for token in tokens:
            self.assertLessEqual(token.logprob, 0)
            self.assertEqual(len(token.top_logprobs), 3)
            self.assertEqual(token.top_logprobs[0].token, token.token, "greedy takes the likeliest")
        columns = client.completions.create(model=MODEL, prompt="One two", max_tokens=3, temperature=0, logprobs=2).choices[0]
        self.assertEqual("".join(columns.logprobs.tokens), columns.text)
        self.assertEqual(columns.logprobs.text_offset[0], 0)


class Formats(unittest.TestCase):
    SCHEMA = {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 12}, "size": {"enum": ["small", "large"]}},
        "required": ["city", "size"],
        "additionalProperties": False,
    }
    TOOL = {"type": "function", "function": {"name": "look_up", "description": "Looks a city up", "parameters": SCHEMA}}

    def test_json_object(self):
        answer = client.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": "The capital of France as JSON with one short field."}],
            max_tokens=120,
            temperature=0,
            response_format={"type": "json_object"},
        )
        text = answer.choices[0].message.content
        self.assertTrue(text.startswith("{"))
        if answer.choices[0].finish_reason == "stop":
            self.assertIsInstance(json.loads(text), dict)

    def test_json_schema(self):
        schema = {"name": "city", "schema": self.SCHEMA, "strict": True}
        answer = client.chat.completions.create(
            model=MODEL, messages=QUESTION, max_tokens=60, temperature=0, response_format={"type": "json_schema", "json_schema": schema}
        )
        said = json.loads(answer.choices[0].message.content)
        self.assertEqual(set(said), {"city", "size"})
        self.assertIn(said["size"], ("small", "large"))
        self.assertEqual(answer.choices[0].finish_reason, "stop")

    def test_a_function_that_must_be_called(self):
        choice = {"type": "function", "function": {"name": "look_up"}}
        asked = dict(model=MODEL, messages=QUESTION, max_tokens=60, temperature=0, tools=[self.TOOL], tool_choice=choice)
        whole = client.chat.completions.create(**asked).choices[0]
        self.assertEqual(whole.finish_reason, "tool_calls")
        call = whole.message.tool_calls[0]
        self.assertEqual(call.function.name, "look_up")
        self.assertEqual(set(json.loads(call.function.arguments)), {"city", "size"})
        arguments, names, ids = "", [], []
        for chunk in client.chat.completions.create(**asked, stream=True):
            for delta in chunk.choices[0].delta.tool_calls or []:
                arguments += delta.function.arguments or ""
                names += [delta.function.name] if delta.function.name else []
                ids += [delta.id] if delta.id else []
        self.assertEqual((arguments, names, len(ids)), (call.function.arguments, ["look_up"], 1))

    def test_some_function_must_be_called(self):
        answer = client.chat.completions.create(
            model=MODEL, messages=QUESTION, max_tokens=80, temperature=0, tools=[self.TOOL], tool_choice="required", parallel_tool_calls=False
        )
        self.assertEqual(len(answer.choices[0].message.tool_calls), 1)

    def test_a_template_without_tools_is_not_asked_to_choose(self):
        with self.assertRaises(openai.BadRequestError) as caught:
            client.chat.completions.create(model=MODEL, messages=QUESTION, tools=[self.TOOL])
        self.assertEqual(caught.exception.code, "unsupported_by_model")


class Responses(unittest.TestCase):
    def test_whole(self):
        answer = client.responses.create(
            model=MODEL, input=QUESTION[0]["content"], instructions="You are terse.", max_output_tokens=24, temperature=0, metadata={"a": "b"}
        )
        self.assertIn("Paris", answer.output_text)
        self.assertEqual(answer.metadata, {"a": "b"})
        self.assertEqual(answer.usage.total_tokens, answer.usage.input_tokens + answer.usage.output_tokens)
        self.assertIn(answer.status, ("completed", "incomplete"))

    def test_stream_equals_whole(self):
        asked = dict(model=MODEL, input=QUESTION, max_output_tokens=16, temperature=0)
        whole = client.responses.create(**asked)
        events = list(client.responses.create(**asked, stream=True))
        self.assertEqual([e.sequence_number for e in events], list(range(len(events))))
        self.assertEqual([e.type for e in events[:4]], [
            "response.created", "response.in_progress", "response.output_item.added", "response.content_part.added"
        ])
        text = "".join(e.delta for e in events if e.type == "response.output_text.delta")
        self.assertEqual(text, whole.output_text)
        self.assertEqual(events[-1].response.output_text, whole.output_text)
        self.assertEqual(events[-1].type, f"response.{whole.status}")

    def test_the_sdks_own_stream_helper_follows(self):
        with client.responses.stream(model=MODEL, input=QUESTION, max_output_tokens=8, temperature=0) as stream:
            for _ in stream:
                pass
            final = stream.get_final_response()
        self.assertTrue(final.output_text)

    def test_a_conversation_is_sent_back_whole(self):
        first = client.responses.create(model=MODEL, input=QUESTION, max_output_tokens=12, temperature=0)
        turns = QUESTION + [item.model_dump(exclude_none=True) for item in first.output] + [{"role": "user", "content": "And of Italy?"}]
        second = client.responses.create(model=MODEL, input=turns, max_output_tokens=4, temperature=0)
        self.assertGreater(second.usage.input_tokens, first.usage.input_tokens)

    def test_a_function_and_its_output(self):
        tool = {"type": "function", "name": "look_up", "parameters": Formats.SCHEMA, "strict": True}
        first = client.responses.create(
            model=MODEL, input=QUESTION, max_output_tokens=60, temperature=0, tools=[tool], tool_choice={"type": "function", "name": "look_up"}
        )
        call = first.output[0]
        self.assertEqual((call.type, call.name), ("function_call", "look_up"))
        self.assertEqual(set(json.loads(call.arguments)), {"city", "size"})

    def test_schema(self):
        form = {"format": {"type": "json_schema", "name": "city", "schema": Formats.SCHEMA, "strict": True}}
        answer = client.responses.create(model=MODEL, input=QUESTION, max_output_tokens=60, temperature=0, text=form)
        self.assertEqual(set(json.loads(answer.output_text)), {"city", "size"})

    def test_nothing_is_kept(self):
        with self.assertRaises(openai.BadRequestError) as caught:
            client.responses.create(model=MODEL, input="x", previous_response_id="resp_1")
        self.assertEqual(caught.exception.code, "nothing_is_kept")


class Refusals(unittest.TestCase):
    def test_a_schema_that_cannot_be_followed(self):
        schema = {"name": "n", "schema": {"type": "nonsense"}}
        with self.assertRaises(openai.BadRequestError) as caught:
            client.chat.completions.create(
                model=MODEL, messages=QUESTION, max_tokens=4, response_format={"type": "json_schema", "json_schema": schema}
            )
        self.assertEqual(caught.exception.code, "invalid_schema")

    def test_a_model_that_makes_no_vectors(self):
        with self.assertRaises(openai.BadRequestError) as caught:
            client.embeddings.create(model=MODEL, input="a door")
        self.assertEqual(caught.exception.code, "unsupported_by_model")

    def test_unknown_model(self):
        with self.assertRaises(openai.NotFoundError) as caught:
            client.chat.completions.create(model="gpt-nothing", messages=QUESTION)
        self.assertEqual(caught.exception.code, "model_not_found")

    def test_unsupported_parameter_is_never_ignored(self):
        for extra in ({"service_tier": "flex"}, {"reasoning_effort": "low"}, {"modalities": ["text", "audio"]}, {"verbosity": "low"}):
            with self.subTest(extra), self.assertRaises(openai.BadRequestError) as caught:
                client.chat.completions.create(model=MODEL, messages=QUESTION, max_tokens=4, **extra)
            self.assertEqual(caught.exception.code, "unsupported_parameter")

    def test_unknown_field_is_never_ignored(self):
        with self.assertRaises(openai.BadRequestError):
            client.chat.completions.create(model=MODEL, messages=QUESTION, max_tokens=4, extra_body={"tempreature": 0})

    def test_context_overflow(self):
        with self.assertRaises(openai.BadRequestError) as caught:
            client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "word " * 20000}])
        self.assertEqual(caught.exception.code, "context_length_exceeded")

    def test_route_that_is_not_sealed(self):
        with self.assertRaises(openai.NotFoundError):
            client.images.generate(model=MODEL, prompt="a door")


class Others(unittest.TestCase):
    def test_models(self):
        self.assertEqual([m.id for m in client.models.list()], [MODEL])
        self.assertEqual(client.models.retrieve(MODEL).id, MODEL)

    def test_completions(self):
        answer = client.completions.create(model=MODEL, prompt="The capital of France is", max_tokens=8, temperature=0)
        self.assertIn("Paris", answer.choices[0].text)
        stream = client.completions.create(model=MODEL, prompt="The capital of France is", max_tokens=8, temperature=0, stream=True)
        self.assertEqual("".join(c.choices[0].text for c in stream if c.choices), answer.choices[0].text)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
