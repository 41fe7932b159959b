//! Canonical XML 1.1 without comments of an element of [`super::xml`], in which texts and values are canonical as they stand.

use super::xml::{Element, Node};
use std::{borrow::Cow, collections::BTreeMap};

/// Prefix to namespace; the default namespace has the prefix "", which sorts first as canonical XML wants it.
type Namespaces<'a> = BTreeMap<&'a str, &'a str>;

/// The document whose root element is `root`, without the element `left_out` of it: the enveloped-signature transform, canonicalised.
pub(super) fn document_without(root: &Element<'_>, left_out: &Element<'_>) -> Vec<u8> {
    let mut writer = Writer {
        output: Vec::new(),
        left_out: Some(left_out),
    };
    writer.element(root, &Namespaces::new(), &Namespaces::new());
    writer.output
}

/// The subtree `element` of a document; `ancestors`, outermost first, lend it their namespaces.
pub(super) fn subtree(element: &Element<'_>, ancestors: &[&Element<'_>]) -> Vec<u8> {
    let declarations = ancestors.iter().flat_map(|one| &one.declarations);
    let in_scope = declarations
        .map(|one| (one.prefix, one.namespace))
        .collect();
    let mut writer = Writer {
        output: Vec::new(),
        left_out: None,
    };
    writer.element(element, &in_scope, &Namespaces::new());
    writer.output
}

struct Writer<'e, 'a> {
    output: Vec<u8>,
    left_out: Option<&'e Element<'a>>,
}

impl Writer<'_, '_> {
    /// Writes `element`, which has the namespaces `in_scope` from its parent; those in `written` were written by an ancestor.
    fn element(
        &mut self,
        element: &Element<'_>,
        in_scope: &Namespaces<'_>,
        written: &Namespaces<'_>,
    ) {
        let in_scope = extended(in_scope, element);
        self.strings(&["<", element.name.qualified]);
        for (prefix, namespace) in in_scope.iter() {
            if written.get(prefix) != Some(namespace) {
                let colon = if prefix.is_empty() { "" } else { ":" };
                self.strings(&[" xmlns", colon, prefix, "=\"", namespace, "\""]);
            }
        }
        for attribute in &element.attributes {
            self.strings(&[" ", attribute.name.qualified, "=\"", attribute.value, "\""]);
        }
        self.strings(&[">"]);
        for child in &element.children {
            self.node(child, &in_scope);
        }
        self.strings(&["</", element.name.qualified, ">"]);
    }

    fn node(&mut self, node: &Node<'_>, in_scope: &Namespaces<'_>) {
        match node {
            Node::Element(element) if self.is_left_out(element) => {}
            Node::Element(element) => self.element(element, in_scope, in_scope),
            Node::Text(text) => self.strings(&[text]),
        }
    }

    /// Whether `element` is the one left out: itself, not one that looks like it.
    fn is_left_out(&self, element: &Element<'_>) -> bool {
        self.left_out
            .is_some_and(|left_out| std::ptr::eq(left_out, element))
    }

    fn strings(&mut self, strings: &[&str]) {
        for string in strings {
            self.output.extend_from_slice(string.as_bytes());
        }
    }
}

/// `in_scope` and what `element` declares.
fn extended<'n, 'a>(
    in_scope: &'n Namespaces<'a>,
    element: &Element<'a>,
) -> Cow<'n, Namespaces<'a>> {
    let mut extended = Cow::Borrowed(in_scope);
    for declaration in &element.declarations {
        extended
            .to_mut()
            .insert(declaration.prefix, declaration.namespace);
    }
    extended
}

#[cfg(test)]
mod tests {
    use super::{document_without, subtree};
    use crate::nvidia::rim::xml::{Node, parse};

    const DOCUMENT: &str = r#"<?xml version="1.0"?>
<r xmlns:z="urn:z" xmlns="urn:r" b="2" z:a='1'
   a="1"><z:s xmlns="urn:r" xmlns:y="urn:y"><t xmlns:y="urn:w" y:k="v"/>text
</z:s ><u xmlns="urn:u"/></r>
"#;

    #[test]
    fn a_document_has_its_namespaces_and_attributes_in_order() {
        let root = parse(DOCUMENT.as_bytes()).unwrap();
        let [Node::Element(first), Node::Element(last)] = root.children.as_slice() else {
            panic!("two children");
        };
        let without_last = r#"<r xmlns="urn:r" xmlns:z="urn:z" a="1" b="2" z:a="1"><z:s xmlns:y="urn:y"><t xmlns:y="urn:w" y:k="v"></t>text
</z:s></r>"#;
        assert_eq!(document_without(&root, last), without_last.as_bytes());
        let without_first =
            r#"<r xmlns="urn:r" xmlns:z="urn:z" a="1" b="2" z:a="1"><u xmlns="urn:u"></u></r>"#;
        assert_eq!(document_without(&root, first), without_first.as_bytes());
    }

    #[test]
    fn a_subtree_is_lent_the_namespaces_of_its_ancestors() {
        let root = parse(DOCUMENT.as_bytes()).unwrap();
        let Some(Node::Element(inner)) = root.children.first() else {
            panic!("a child");
        };
        let Some(Node::Element(innermost)) = inner.children.first() else {
            panic!("a grandchild");
        };
        let expected = r#"<t xmlns="urn:r" xmlns:y="urn:w" xmlns:z="urn:z" y:k="v"></t>"#;
        assert_eq!(subtree(innermost, &[&root, inner]), expected.as_bytes());
    }

    /// Two elements that look alike are not the same one.
    #[test]
    fn only_the_very_element_is_left_out() {
        let root = parse(b"<r><a/><a/></r>").unwrap();
        let Some(Node::Element(second)) = root.children.get(1) else {
            panic!("two children");
        };
        assert_eq!(document_without(&root, second), b"<r><a></a></r>");
    }
}
