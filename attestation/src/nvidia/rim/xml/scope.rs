//! Namespaces in XML 1.0: which one a prefix stands for.

use super::{Declaration, Name};

/// The namespaces declared on an element and around it.
pub(super) struct Scope<'s, 'a> {
    pub(super) declarations: &'s [Declaration<'a>],
    pub(super) outer: Option<&'s Self>,
}

impl<'a> Scope<'_, 'a> {
    /// Around the root element.
    pub(super) const OUTERMOST: Self = Self {
        declarations: &[],
        outer: None,
    };

    /// An element's name: without prefix it is in the default namespace, if there is one.
    pub(super) fn of_element(&self, qualified: &'a str) -> Option<Name<'a>> {
        let (prefix, local) = split(qualified)?;
        let namespace = match (prefix, self.find(prefix)) {
            ("", default) => default.unwrap_or_default(),
            (_, declared) => declared?,
        };
        Some(Name {
            qualified,
            namespace,
            local,
        })
    }

    /// An attribute's name: without prefix it is in no namespace.
    pub(super) fn of_attribute(&self, qualified: &'a str) -> Option<Name<'a>> {
        let (prefix, local) = split(qualified)?;
        let namespace = match prefix {
            "" => "",
            _ => self.find(prefix)?,
        };
        Some(Name {
            qualified,
            namespace,
            local,
        })
    }

    fn find(&self, prefix: &str) -> Option<&'a str> {
        let mut own = self.declarations.iter();
        let own = own.find(|own| own.prefix == prefix);
        own.map(|own| own.namespace)
            .or_else(|| self.outer?.find(prefix))
    }
}

impl<'a> Declaration<'a> {
    /// Whether the attribute `name` declares a namespace.
    pub(super) fn is_meant_by(name: &str) -> bool {
        name == "xmlns" || name.starts_with("xmlns:")
    }

    /// The declaration that such an attribute is; taking one back (`xmlns=""`) is refused.
    pub(super) fn read((name, namespace): (&'a str, &'a str)) -> Option<Self> {
        let prefix = match name.split_once(':') {
            None => "",
            Some((_, prefix)) => allowed_prefix(prefix)?,
        };
        (!namespace.is_empty()).then_some(Self { prefix, namespace })
    }
}

/// Prefix, empty if there is none, and local name.
fn split(qualified: &str) -> Option<(&str, &str)> {
    let (prefix, local) = match qualified.split_once(':') {
        None => ("", qualified),
        Some((prefix, local)) => (allowed_prefix(prefix)?, local),
    };
    is_name(local).then_some((prefix, local))
}

/// A prefix that XML does not keep for itself.
fn allowed_prefix(prefix: &str) -> Option<&str> {
    (is_name(prefix) && !["xml", "xmlns"].contains(&prefix)).then_some(prefix)
}

/// `NCName`, of ASCII.
fn is_name(text: &str) -> bool {
    let starts = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    let continues = |byte: u8| starts(byte) || byte.is_ascii_digit() || b".-".contains(&byte);
    text.bytes().next().is_some_and(starts) && text.bytes().all(continues)
}
