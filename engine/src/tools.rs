//! Calls of tools: how a family of models writes them down.

/// How a model writes the calls of tools into its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToolSyntax {
    /// `<tool_call>{"name": N, "arguments": A}</tool_call>`, any number of them: Hermes, Qwen.
    Hermes,
    /// `{"name": N, "parameters": A}`, behind `<|python_tag|>` or not, several with `;` between: Llama 3.
    Llama,
    /// `[TOOL_CALLS][{"name": N, "arguments": A}, ...]`: Mistral.
    Mistral,
    /// `{"name": N, "arguments": A}` or an array of them: models that were told nothing else.
    Json,
}
