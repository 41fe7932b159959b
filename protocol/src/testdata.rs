//! The vectors of `protocol/testdata`, run. They are made by another implementation (`tests/interop/python/testdata.py`): what is signed and
//! sealed there opens here, and every fault is told by its code.

mod inside;
mod sealed;
mod signed;

use serde_json::Value;

/// One file.
struct Suite {
    file: Value,
}

/// One case: its own members first, then those of its file.
struct Case<'a> {
    own: &'a Value,
    file: &'a Value,
}

impl Suite {
    fn parse(text: &str) -> Self {
        Self {
            file: serde_json::from_str(text).unwrap(),
        }
    }

    fn cases(&self) -> impl Iterator<Item = Case<'_>> {
        let cases = self.file["cases"].as_array().unwrap();
        assert!(cases.len() > 5, "a file without cases");
        cases.iter().map(|own| Case {
            own,
            file: &self.file,
        })
    }

    /// Runs every case: `verdict` gives a code, or nothing for what is accepted.
    fn run(&self, verdict: impl Fn(&Case<'_>) -> Result<(), &'static str>) {
        let mut accepted = 0;
        for case in self.cases() {
            let said = verdict(&case).err().unwrap_or("accept");
            assert_eq!(said, case.text("expect"), "{}", case.text("title"));
            accepted += usize::from(said == "accept");
        }
        assert!(accepted > 0, "nothing was accepted");
    }
}

impl<'a> Case<'a> {
    fn has(&self, name: &str) -> bool {
        self.own.get(name).is_some()
    }

    fn value(&self, name: &str) -> &'a Value {
        let value = self.own.get(name).or_else(|| self.file.get(name));
        value.unwrap_or_else(|| panic!("no member {name}"))
    }

    fn text(&self, name: &str) -> &'a str {
        self.value(name).as_str().unwrap()
    }

    fn number(&self, name: &str) -> u64 {
        self.value(name).as_u64().unwrap()
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        bytes(self.value(name))
    }

    fn array<const N: usize>(&self, name: &str) -> [u8; N] {
        self.bytes(name).try_into().unwrap()
    }

    /// A list of byte strings.
    fn list(&self, name: &str) -> Vec<Vec<u8>> {
        self.value(name)
            .as_array()
            .unwrap()
            .iter()
            .map(bytes)
            .collect()
    }

    /// Field lines.
    fn fields(&self, name: &str) -> crate::bhttp::Fields {
        let lines = self.value(name).as_array().unwrap().iter();
        let owned = |text: &Value| text.as_str().unwrap().to_owned();
        lines
            .map(|line| (owned(&line[0]), owned(&line[1]).into_bytes()))
            .collect()
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}
