/**
 * The official openai SDK for Node through `narthex proxy`, with only its base URL changed: one line per check, exit 0 if all of them held.
 *
 * usage: node openai_sdk.mjs BASE_URL MODEL
 */
import assert from 'node:assert/strict';
import OpenAI from 'openai';

const [baseURL, model] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey: 'not-used-by-the-proxy', maxRetries: 0, timeout: 120_000 });
const messages = [{ role: 'user', content: 'What is the capital of France? Answer in one sentence.' }];
const parameters = {
  type: 'object',
  properties: { city: { type: 'string', maxLength: 12 } },
  required: ['city'],
  additionalProperties: false,
};
let failed = 0;

async function check(name, run) {
  try {
    await run();
    console.log(`ok   ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${name}: ${error.stack}`);
  }
}

const chat = (more) => client.chat.completions.create({ model, messages, max_tokens: 24, temperature: 0, ...more });

async function refused(call, code) {
  await assert.rejects(call, (error) => error instanceof OpenAI.APIError && error.code === code);
}

await check('a whole chat', async () => {
  const answer = await chat();
  assert.match(answer.choices[0].message.content, /Paris/);
  assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
});

await check('a streamed chat says the same', async () => {
  const whole = await chat();
  let text = '';
  let usage;
  for await (const chunk of await chat({ stream: true, stream_options: { include_usage: true } })) {
    text += chunk.choices[0]?.delta.content ?? '';
    usage = chunk.usage ?? usage;
  }
  assert.equal(text, whole.choices[0].message.content);
  assert.deepEqual(usage.completion_tokens, whole.usage.completion_tokens);
});

await check('several choices', async () => {
  const answer = await chat({ n: 2, temperature: 1.8, seed: 3, max_tokens: 6 });
  assert.deepEqual(answer.choices.map((choice) => choice.index), [0, 1]);
});

await check('log-probabilities', async () => {
  const answer = await chat({ logprobs: true, top_logprobs: 2, max_tokens: 3 });
  assert.equal(answer.choices[0].logprobs.content.length, answer.usage.completion_tokens);
});

await check('a JSON schema', async () => {
  const json_schema = { name: 'city', schema: parameters, strict: true };
  const answer = await chat({ response_format: { type: 'json_schema', json_schema }, max_tokens: 40 });
  assert.deepEqual(Object.keys(JSON.parse(answer.choices[0].message.content)), ['city']);
});

await check('a function that must be called', async () => {
  const tools = [{ type: 'function', function: { name: 'look_up', parameters } }];
  const answer = await chat({ tools, tool_choice: { type: 'function', function: { name: 'look_up' } }, max_tokens: 40 });
  const [call] = answer.choices[0].message.tool_calls;
  assert.equal(call.function.name, 'look_up');
  assert.deepEqual(Object.keys(JSON.parse(call.function.arguments)), ['city']);
});

await check("the SDK's helper for streams of chats", async () => {
  const stream = client.chat.completions.stream({ model, messages, max_tokens: 8, temperature: 0 });
  const final = await stream.finalChatCompletion();
  assert.ok(final.choices[0].message.content);
});

await check('completions', async () => {
  const answer = await client.completions.create({ model, prompt: 'The capital of France is', max_tokens: 8, temperature: 0 });
  assert.match(answer.choices[0].text, /Paris/);
});

await check('a whole response', async () => {
  const answer = await client.responses.create({ model, input: messages, max_output_tokens: 24, temperature: 0 });
  assert.match(answer.output_text, /Paris/);
});

await check('a streamed response', async () => {
  const stream = await client.responses.create({ model, input: 'Hello', max_output_tokens: 6, temperature: 0, stream: true });
  let text = '';
  let last;
  for await (const event of stream) {
    if (event.type === 'response.output_text.delta') text += event.delta;
    last = event;
  }
  assert.match(last.type, /^response\.(completed|incomplete)$/);
  assert.equal(last.response.output[0].content[0].text, text);
});

await check('models', async () => {
  const listed = [];
  for await (const one of client.models.list()) listed.push(one.id);
  assert.deepEqual(listed, [model]);
});

await check('refusals', async () => {
  await refused(chat({ n: 9 }), 'invalid_value');
  await refused(chat({ service_tier: 'flex' }), 'unsupported_parameter');
  await refused(client.embeddings.create({ model, input: 'a door' }), 'unsupported_by_model');
  await refused(client.responses.create({ model, input: 'x', previous_response_id: 'resp_1' }), 'nothing_is_kept');
});

process.exit(failed === 0 ? 0 : 1);
