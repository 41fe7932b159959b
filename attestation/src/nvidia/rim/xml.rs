//! The subset of XML 1.0 (fifth edition) with namespaces that NVIDIA's manifests are written in.
//!
//! Left out is everything by which two readers can see different documents, or by which text changes between file and canonical form: document types,
//! references of any kind, comments, CDATA sections, processing instructions, carriage returns, tabs and line ends in attributes, names beyond ASCII, and the
//! prefix `xml`. A comment, for one, is not signed and yet cuts a text in two. What is left needs no unescaping: every value is a piece of the input.

mod reader;
mod scope;

pub(super) use reader::parse;

/// An element with its namespace resolved.
#[derive(Debug)]
pub(super) struct Element<'a> {
    pub(super) name: Name<'a>,
    /// Namespace declarations by ascending prefix.
    pub(super) declarations: Vec<Declaration<'a>>,
    /// Attributes by ascending namespace, then local name: the order of canonical XML.
    pub(super) attributes: Vec<Attribute<'a>>,
    pub(super) children: Vec<Node<'a>>,
}

/// What an element contains.
#[derive(Debug)]
pub(super) enum Node<'a> {
    Element(Element<'a>),
    /// Never empty, and the same in the file, to its readers and in canonical form.
    Text(&'a str),
}

/// A qualified name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name<'a> {
    /// As written, with its prefix.
    pub(super) qualified: &'a str,
    /// Empty: none.
    pub(super) namespace: &'a str,
    pub(super) local: &'a str,
}

/// An attribute that declares no namespace.
#[derive(Debug)]
pub(super) struct Attribute<'a> {
    pub(super) name: Name<'a>,
    pub(super) value: &'a str,
}

/// `xmlns="namespace"` or `xmlns:prefix="namespace"`.
#[derive(Debug)]
pub(super) struct Declaration<'a> {
    /// Empty: the default namespace.
    pub(super) prefix: &'a str,
    pub(super) namespace: &'a str,
}

impl<'a> Element<'a> {
    pub(super) fn is(&self, namespace: &str, local: &str) -> bool {
        self.name.namespace == namespace && self.name.local == local
    }

    /// The value of the attribute `local` of `namespace`, which is empty for one without prefix.
    pub(super) fn attribute(&self, namespace: &str, local: &str) -> Option<&'a str> {
        let named =
            |one: &&Attribute<'_>| one.name.local == local && one.name.namespace == namespace;
        self.attributes.iter().find(named).map(|one| one.value)
    }

    /// The children, if they are elements with nothing but white space between them.
    pub(super) fn elements(&self) -> Option<Vec<&Self>> {
        let mut elements = Vec::new();
        for child in &self.children {
            match child {
                Node::Element(element) => elements.push(element),
                Node::Text(text) if text.bytes().all(is_space) => {}
                Node::Text(_) => return None,
            }
        }
        Some(elements)
    }

    /// The content, if it is text alone.
    pub(super) fn text(&self) -> Option<&'a str> {
        match self.children.as_slice() {
            [Node::Text(text)] => Some(text),
            _ => None,
        }
    }
}

/// `S` of XML, without the carriage return.
const fn is_space(one: u8) -> bool {
    matches!(one, b' ' | b'\n' | b'\t')
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn elements_declare_no_more_namespaces_than_a_reader_can_search_each_time() {
        let document = |count: u8| {
            let declared = (0..count).map(|number| format!(" xmlns:n{number}=\"urn:n\""));
            format!("<r{}/>", declared.collect::<String>())
        };
        assert!(parse(document(16).as_bytes()).is_ok());
        assert!(parse(document(17).as_bytes()).is_err());
    }
}
