//! What the targets of policy documents share: the examples of the page that describes them.

/// The first example of a section of docs/policy-documents.md.
pub fn example(section: &str) -> Vec<u8> {
    let page = include_str!("../../docs/policy-documents.md");
    let after = page.split_once(section).map(|(_, after)| after);
    let after = after.and_then(|after| after.split_once("```toml\n"));
    let example = after.and_then(|(_, example)| example.split_once("```"));
    let (example, _) = example.expect("the section has an example");
    example.as_bytes().to_vec()
}
