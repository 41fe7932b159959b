"""The official openai SDK through `narthex proxy`, with only base_url changed.

usage: openai_sdk.py BASE_URL MODEL
"""
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
        stream = client.chat.completions.create(model=MODEL, messages=QUESTION, max_tokens=16, temperature=0, stream=True)
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


class Refusals(unittest.TestCase):
    def test_unknown_model(self):
        with self.assertRaises(openai.NotFoundError) as caught:
            client.chat.completions.create(model="gpt-nothing", messages=QUESTION)
        self.assertEqual(caught.exception.code, "model_not_found")

    def test_unsupported_parameter_is_never_ignored(self):
        for extra in ({"n": 2}, {"logprobs": True}, {"response_format": {"type": "json_object"}}, {"presence_penalty": 1.0}):
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
