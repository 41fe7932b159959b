use super::*;

fn names() -> Vec<String> {
    ["f", "g"].map(str::to_owned).to_vec()
}

/// What is read of `text` when it comes in pieces of so many characters.
fn in_pieces(mut reader: CallReader, text: &str, length: usize) -> (String, Vec<(String, String)>) {
    let mut made = Made::default();
    let characters: Vec<char> = text.chars().collect();
    for piece in characters.chunks(length) {
        reader.read(&piece.iter().collect::<String>(), &mut made);
    }
    reader.finish(&mut made);
    let calls = made.calls().into_iter();
    let calls: Vec<_> = calls
        .map(|(name, arguments)| (name.to_owned(), arguments))
        .collect();
    assert_eq!(reader.calls(), calls.len());
    (made.text(), calls)
}

fn read(reader: impl Fn() -> CallReader, text: &str, expected: (&str, &[(&str, &str)])) {
    let owned = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
    let expected = (
        expected.0.to_owned(),
        expected.1.iter().map(owned).collect(),
    );
    for length in [1, 2, 3, 7, 1000] {
        assert!(
            in_pieces(reader(), text, length) == expected,
            "{text} by {length}"
        );
    }
}

const CALL: &str = r#"{"name": "f", "arguments": {"a": "é"}}"#;
const F: (&str, &str) = ("f", r#"{"a": "é"}"#);

#[test]
fn hermes() {
    let reader = || CallReader::of_syntax(ToolSyntax::Hermes, names(), usize::MAX);
    read(reader, "plain <b> text \n", ("plain <b> text \n", &[]));
    let one = format!("so:\n<tool_call>\n{CALL}\n</tool_call>\n");
    read(reader, &one, ("so:", &[F]));
    let two = format!("<tool_call>{CALL}</tool_call>\n<tool_call>{{\"name\":\"g\"}}</tool_call>");
    read(reader, &two, ("", &[F, ("g", "{}")]));
    read(reader, &format!("<tool_call>{CALL}"), ("", &[F]));
    read(reader, "<tool_call>{\"na", ("{\"na", &[]));
    read(
        reader,
        "<tool_call>{\"name\":\"h\"}</tool_call>",
        ("{\"name\":\"h\"}", &[]),
    );
}

#[test]
fn mistral() {
    let reader = || CallReader::of_syntax(ToolSyntax::Mistral, names(), usize::MAX);
    read(
        reader,
        &format!("[TOOL_CALLS][{CALL}, {CALL}]"),
        ("", &[F, F]),
    );
    read(reader, "[TOOL", ("[TOOL", &[]));
}

#[test]
fn llama_and_json() {
    for syntax in [ToolSyntax::Llama, ToolSyntax::Json] {
        let reader = || CallReader::of_syntax(syntax, names(), usize::MAX);
        read(reader, &format!(" {CALL}; {CALL}"), ("", &[F, F]));
        read(reader, &format!("<|python_tag|>{CALL}"), ("", &[F]));
        read(reader, "{\"other\": 1}", ("{\"other\": 1}", &[]));
        read(reader, "text { } ", ("text { } ", &[]));
    }
}

#[test]
fn forced() {
    let json = || CallReader::of_json(names(), usize::MAX);
    read(json, &format!("[{CALL}]"), ("", &[F]));
    read(json, "[{\"name\": \"f\"", ("[{\"name\": \"f\"", &[]));
    let arguments = || CallReader::of_arguments("f");
    read(arguments, "{\"a\": 1", ("", &[("f", "{\"a\": 1")]));
}

#[test]
fn no_more_calls_than_may_be_made() {
    let reader = || CallReader::of_syntax(ToolSyntax::Hermes, names(), 1);
    let call = format!("<tool_call>{CALL}</tool_call>");
    read(reader, &format!("{call}\n{call}"), ("", &[F]));
}

#[test]
fn text_is_told_as_it_comes() {
    let mut reader = CallReader::of_syntax(ToolSyntax::Hermes, names(), 1);
    let mut made = Made::default();
    reader.read("one <tool", &mut made);
    assert_eq!(made.text(), "one");
    reader.read("box", &mut made);
    assert_eq!(made.text(), "one <toolbox");
}
