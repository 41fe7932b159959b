//! From bytes to the root element. Recursion and memory are bounded: by the depth of manifests, and by the size of the input.

use super::{Attribute, Declaration, Element, Name, Node, is_space, scope::Scope};
use crate::nvidia::rim::RimError;
use std::cmp::Ordering;

/// Manifests have 6 levels, of which their signature takes 5.
const MAX_DEPTH: u8 = 8;

/// Of one element; manifests have 3. Every name is looked up among those in scope, and every element writes them anew.
const MAX_DECLARATIONS: usize = 16;

/// An attribute as written: name and value.
type RawAttribute<'a> = (&'a str, &'a str);

/// The root element of the document `xml`.
pub(in crate::nvidia::rim) fn parse(xml: &[u8]) -> Result<Element<'_>, RimError> {
    let text = str::from_utf8(xml).map_err(|error| RimError::Xml {
        offset: error.valid_up_to(),
        reason: "not UTF-8",
    })?;
    let mut reader = Reader { text, offset: 0 };
    reader.check_characters()?;
    reader.declaration()?;
    reader.spaces();
    let root = reader.element(&Scope::OUTERMOST, MAX_DEPTH)?;
    reader.spaces();
    if reader.rest().is_empty() {
        return Ok(root);
    }
    Err(reader.refuse("something follows the root element"))
}

struct Reader<'a> {
    text: &'a str,
    /// In bytes, always at the start of a character.
    offset: usize,
}

impl<'a> Reader<'a> {
    /// Refuses references, and characters that XML forbids or changes when it reads them.
    fn check_characters(&mut self) -> Result<(), RimError> {
        let refused = |one: u8| one == b'&' || one < b' ' && !b"\n\t".contains(&one);
        let ascii = self.text.bytes().position(refused);
        let beyond = || match self.text.is_ascii() {
            true => None,
            false => self.text.find(['\u{FFFE}', '\u{FFFF}']),
        };
        let Some(offset) = ascii.or_else(beyond) else {
            return Ok(());
        };
        self.offset = offset;
        Err(self.refuse("a reference or a control character"))
    }

    /// `<?xml version="1.0" encoding="UTF-8"?>`, the encoding left out, or nothing.
    fn declaration(&mut self) -> Result<(), RimError> {
        if !self.take("<?xml") {
            return Ok(());
        }
        let said = self.raw_attributes()?;
        let known = match said.as_slice() {
            [("version", "1.0")] => true,
            [("version", "1.0"), ("encoding", encoding)] => encoding.eq_ignore_ascii_case("UTF-8"),
            _ => false,
        };
        if known && self.take("?>") {
            return Ok(());
        }
        Err(self.refuse("an XML declaration of other things than version 1.0 and UTF-8"))
    }

    fn element(&mut self, outer: &Scope<'_, 'a>, depth: u8) -> Result<Element<'a>, RimError> {
        let inner_depth = depth.checked_sub(1);
        let inner_depth = inner_depth.ok_or_else(|| self.refuse("elements are nested too deep"))?;
        self.expect("<")?;
        let qualified = self.name();
        let raw = self.raw_attributes()?;
        let (declarations, raw) = self.declarations(raw)?;
        if declarations.len() > MAX_DECLARATIONS {
            return Err(self.refuse("an element declares too many namespaces"));
        }
        let scope = Scope {
            declarations: &declarations,
            outer: Some(outer),
        };
        let name = scope.of_element(qualified);
        let name = name.ok_or_else(|| self.refuse("an element's name"))?;
        let attributes = self.attributes(raw, &scope)?;
        let children = match self.take("/>") {
            true => Vec::new(),
            false => self.children(qualified, &scope, inner_depth)?,
        };
        Ok(Element {
            name,
            declarations,
            attributes,
            children,
        })
    }

    /// From the `>` of a start tag to the end tag of the same name.
    fn children(
        &mut self,
        qualified: &str,
        scope: &Scope<'_, 'a>,
        depth: u8,
    ) -> Result<Vec<Node<'a>>, RimError> {
        self.expect(">")?;
        let mut children = Vec::new();
        loop {
            let text = self.take_while(|one| !matches!(one, b'<' | b'>'));
            if !text.is_empty() {
                children.push(Node::Text(text));
            }
            if self.take("</") {
                return self.end_tag(qualified).map(|()| children);
            }
            children.push(Node::Element(self.element(scope, depth)?));
        }
    }

    fn end_tag(&mut self, qualified: &str) -> Result<(), RimError> {
        if self.name() != qualified {
            return Err(self.refuse("the end tag of another element"));
        }
        self.spaces();
        self.expect(">")
    }

    /// `name="value"` any number of times, each after white space, and the white space after the last.
    fn raw_attributes(&mut self) -> Result<Vec<RawAttribute<'a>>, RimError> {
        let mut attributes = Vec::new();
        while self.spaces() {
            let name = self.name();
            if name.is_empty() {
                break;
            }
            self.expect("=")?;
            attributes.push((name, self.quoted()?));
        }
        Ok(attributes)
    }

    /// An attribute's value. Quotes of both kinds, `<`, line ends and tabs are refused in it: canonical XML would write them in another way.
    fn quoted(&mut self) -> Result<&'a str, RimError> {
        let quote = if self.take("'") { "'" } else { "\"" };
        if quote == "\"" {
            self.expect(quote)?;
        }
        let value = self.take_while(|one| !matches!(one, b'"' | b'\'' | b'<' | b'\n' | b'\t'));
        self.expect(quote)?;
        Ok(value)
    }

    /// Parts the namespace declarations, by ascending prefix, from the other attributes.
    fn declarations(
        &self,
        raw: Vec<RawAttribute<'a>>,
    ) -> Result<(Vec<Declaration<'a>>, Vec<RawAttribute<'a>>), RimError> {
        let declares = |(name, _): &RawAttribute<'a>| Declaration::is_meant_by(name);
        let (declarations, others): (Vec<_>, Vec<_>) = raw.into_iter().partition(declares);
        let declarations = declarations.into_iter().map(Declaration::read);
        let declarations = ascending(declarations, |one, other| one.prefix.cmp(other.prefix));
        let refused = || self.refuse("a namespace declaration is malformed or doubled");
        Ok((declarations.ok_or_else(refused)?, others))
    }

    /// The other attributes, by ascending namespace, then local name.
    fn attributes(
        &self,
        raw: Vec<RawAttribute<'a>>,
        scope: &Scope<'_, 'a>,
    ) -> Result<Vec<Attribute<'a>>, RimError> {
        let attributes = raw.into_iter().map(|(name, value)| {
            let name = scope.of_attribute(name)?;
            Some(Attribute { name, value })
        });
        let attributes = ascending(attributes, |one, other| in_order(&one.name, &other.name));
        attributes.ok_or_else(|| self.refuse("an attribute is malformed or doubled"))
    }

    /// What may be part of a qualified name; whether it is one, [`Scope`] decides.
    fn name(&mut self) -> &'a str {
        self.take_while(|one| {
            one.is_ascii_alphanumeric() || matches!(one, b':' | b'_' | b'.' | b'-')
        })
    }

    /// Takes white space, and tells whether there was any.
    fn spaces(&mut self) -> bool {
        !self.take_while(is_space).is_empty()
    }

    /// Takes bytes up to the first that is not `wanted`, which must be of ASCII.
    fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.bytes().position(|one| !wanted(one));
        let taken = rest.get(..length.unwrap_or(rest.len())).unwrap_or_default();
        self.offset += taken.len();
        taken
    }

    fn take(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        if found {
            self.offset += expected.len();
        }
        found
    }

    fn expect(&mut self, expected: &'static str) -> Result<(), RimError> {
        if self.take(expected) {
            return Ok(());
        }
        Err(self.refuse(match expected {
            "<" => "no start tag of an element",
            ">" => "a tag does not end",
            "=" => "an attribute without a value",
            _ => "an attribute's value is not quoted, or holds what must be written otherwise",
        }))
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.offset..).unwrap_or_default()
    }

    const fn refuse(&self, reason: &'static str) -> RimError {
        RimError::Xml {
            offset: self.offset,
            reason,
        }
    }
}

/// By namespace, then local name. Most namespaces are one and the same string, which is seen without reading it.
fn in_order(one: &Name<'_>, other: &Name<'_>) -> Ordering {
    let namespaces = match std::ptr::eq(one.namespace, other.namespace) {
        true => Ordering::Equal,
        false => one.namespace.cmp(other.namespace),
    };
    namespaces.then_with(|| one.local.cmp(other.local))
}

/// All of `items` in the order of `compare`; `None` if one is `None` or two are equal.
fn ascending<T>(
    items: impl Iterator<Item = Option<T>>,
    compare: impl Fn(&T, &T) -> Ordering,
) -> Option<Vec<T>> {
    let mut items = items.collect::<Option<Vec<T>>>()?;
    items.sort_by(&compare);
    let doubled = |pair: &[T]| matches!(pair, [one, next] if compare(one, next).is_eq());
    (!items.windows(2).any(doubled)).then_some(items)
}
