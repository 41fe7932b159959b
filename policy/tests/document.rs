//! The policy document: the sample of docs/policy.md, and every mistake with its place.

use attestation::{
    UnixTime,
    snp::{Product, TcbVersion},
};
use policy::{
    BitRule, Policy, PolicyError, Position,
    document::MAX_DOCUMENT_BYTES,
    snp::{GuestPolicyBit, PlatformInfoBit},
};
use proptest::prelude::*;

/// The complete policy of docs/policy.md.
fn sample() -> &'static str {
    let page = include_str!("../../docs/policy.md");
    let (_, after) = page.split_once("```toml\n").unwrap();
    after.split_once("```").unwrap().0
}

/// The sample with `from`, which must stand there once, replaced by `to`.
fn edited(from: &str, to: &str) -> String {
    assert_eq!(sample().matches(from).count(), 1, "{from:?} in the sample");
    sample().replacen(from, to, 1)
}

fn mistakes(text: &str) -> Vec<PolicyError> {
    Policy::from_toml(text.as_bytes()).unwrap_err()
}

/// The one mistake of the sample after an edit, as code and message.
fn mistake(from: &str, to: &str) -> (&'static str, String) {
    let mistakes = mistakes(&edited(from, to));
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    (mistakes[0].code(), mistakes[0].to_string())
}

fn assert_mistake(from: &str, to: &str, code: &str, told: &str) {
    let (found, message) = mistake(from, to);
    assert_eq!(found, code, "{message}");
    assert!(message.contains(told), "{message:?} does not say {told:?}");
}

#[test]
fn the_sample_says_what_its_page_says() {
    let policy = Policy::from_toml(sample().as_bytes()).unwrap();
    assert_eq!(policy.version(), 7);
    assert_eq!(policy.name(), "production");
    assert_eq!(
        policy.not_before(),
        UnixTime::from_rfc3339("2026-11-01T00:00:00Z").unwrap()
    );
    assert_eq!(
        policy.expires(),
        UnixTime::from_rfc3339("2027-02-01T00:00:00Z").unwrap()
    );
    assert_eq!(policy.max_age_seconds(), 3600);
    assert_eq!(
        policy.digest(),
        &attestation::crypto::sha256(sample().as_bytes())
    );
    assert_eq!(policy.models().unwrap().len(), 1);
    assert_eq!(policy.runtimes().unwrap().len(), 1);

    let snp = policy.snp().unwrap();
    let products: Vec<_> = snp.products.iter().copied().collect();
    assert_eq!(products, [Product::Genoa, Product::Turin]);
    let turin = snp
        .minimum_tcb
        .iter()
        .find(|floor| floor.product == Product::Turin);
    let floor = TcbVersion {
        fmc: Some(1),
        bootloader: 1,
        tee: 1,
        snp: 4,
        microcode: 80,
    };
    assert_eq!(turin.unwrap().floor, floor);
    let migrate = snp
        .guest_policy
        .iter()
        .find(|(bit, _)| *bit == GuestPolicyBit::MigrateMa);
    assert_eq!(migrate.unwrap().1, BitRule::Forbid);
    let required = [PlatformInfoBit::EccEn, PlatformInfoBit::AliasCheckComplete];
    assert_eq!(snp.platform_info.required, required);
}

#[test]
fn the_sample_has_nothing_to_warn_of() {
    assert_eq!(Policy::from_toml(sample().as_bytes()).unwrap().lint(), []);
}

#[test]
fn caps_and_text() {
    let large = vec![b' '; MAX_DOCUMENT_BYTES + 1];
    assert_eq!(
        Policy::from_toml(&large).unwrap_err(),
        [PolicyError::TooLarge {
            limit_bytes: MAX_DOCUMENT_BYTES
        }]
    );
    assert_eq!(
        Policy::from_toml(&[0xFF]).unwrap_err(),
        [PolicyError::NotUtf8]
    );
    let filled = format!(
        "{}\n#{}",
        sample(),
        "x".repeat(MAX_DOCUMENT_BYTES - sample().len() - 2)
    );
    assert!(Policy::from_toml(filled.as_bytes()).is_ok());
}

#[test]
fn syntax_is_told_with_its_place() {
    let text = edited("version = 7", "version = = 7");
    let mistakes = mistakes(&text);
    assert!(
        mistakes
            .iter()
            .all(|mistake| mistake.code() == "policy.document.syntax")
    );
    assert_eq!(
        mistakes[0].position().unwrap(),
        Position {
            line: 2,
            column: 11
        }
    );
}

#[test]
fn a_key_twice_is_a_mistake_of_syntax() {
    let (code, _) = mistake("version = 7\n", "version = 7\nversion = 8\n");
    assert_eq!(code, "policy.document.syntax");
}

#[test]
fn another_schema_is_not_read_further() {
    let text = edited("schema = 1", "schema = 2\nnews = true");
    let mistakes = mistakes(&text);
    assert_eq!(mistakes.len(), 1);
    assert_eq!(mistakes[0].code(), "policy.document.schema");
    assert_eq!(
        mistakes[0].position().unwrap(),
        Position {
            line: 1,
            column: 10
        }
    );
}

#[test]
fn every_required_field_is_required() {
    let lines = [
        ("schema = 1\n", "`schema`"),
        ("version = 7\n", "`version`"),
        ("name = \"production\"\n", "`name`"),
        ("not_before = 2026-11-01T00:00:00Z\n", "`not_before`"),
        ("expires = 2027-02-01T00:00:00Z\n", "`expires`"),
        ("[freshness]\nmax_age_seconds = 3600\n", "`freshness`"),
        ("max_age_seconds = 3600\n", "`freshness.max_age_seconds`"),
        (
            "minimum_report_version = 3\n",
            "`snp.minimum_report_version`",
        ),
        ("vmpl = [0]\n", "`snp.vmpl`"),
        ("signing_keys = [\"vcek\"]\n", "`snp.signing_keys`"),
        (
            "name = \"narthex guest 0.1.0\"\n",
            "`snp.measurements[0].name`",
        ),
        (
            "product = \"turin\"\nfmc = 1\n",
            "`snp.minimum_tcb[1].product`",
        ),
        ("fmc = 1\n", "`snp.minimum_tcb[1].fmc`"),
        ("bootloader = 10\n", "`snp.minimum_tcb[0].bootloader`"),
        ("tee = 0\n", "`snp.minimum_tcb[0].tee`"),
        ("snp = 24\n", "`snp.minimum_tcb[0].snp`"),
        ("microcode = 84\n", "`snp.minimum_tcb[0].microcode`"),
        (
            "name = \"SmolLM2-135M-Instruct\"\n",
            "`models.accepted[0].name`",
        ),
        (
            "name = \"narthex-runtime 0.1.0\"\n",
            "`runtime.accepted[0].name`",
        ),
    ];
    for (line, field) in lines {
        let found = mistakes(&edited(line, ""));
        let missing = |m: &PolicyError| {
            m.code() == "policy.document.missing_field" && m.to_string().contains(field)
        };
        assert!(found.iter().any(missing), "{field}: {found:?}");
    }
    for bit in GuestPolicyBit::ALL {
        let start = sample().find(&format!("\n{} = ", bit.name())).unwrap();
        let end = start + 1 + sample()[start + 1..].find('\n').unwrap();
        let line = &sample()[start..end];
        let field = format!("`snp.guest_policy.{}`", bit.name());
        assert_mistake(line, "", "policy.document.missing_field", &field);
    }
    assert!(
        mistakes("schema = 1")
            .iter()
            .any(|m| m.to_string().contains("snp or tdx"))
    );
}

#[test]
fn a_product_without_its_floor() {
    let told = "`snp.minimum_tcb for \"milan\"` is missing";
    let products = "[\"genoa\", \"turin\"]";
    let more = "[\"genoa\", \"turin\", \"milan\"]";
    assert_mistake(products, more, "policy.document.missing_field", told);
}

#[test]
fn unknown_fields_are_refused_everywhere() {
    let unknown = "policy.document.unknown_field";
    assert_mistake(
        "version = 7",
        "version = 7\nversions = 7",
        unknown,
        "`versions`",
    );
    let places = [
        (
            "max_age_seconds = 3600",
            "`freshness.max_age`",
            "max_age = 1",
        ),
        ("vmpl = [0]", "`snp.vmpls`", "vmpls = [1]"),
        (
            "name = \"narthex guest 0.1.0\"",
            "`snp.measurements[0].names`",
            "names = 1",
        ),
        ("tee = 0", "`snp.minimum_tcb[0].fmc`", "fmc = 1"),
        (
            "smt = \"allow\"",
            "`snp.guest_policy.debug`",
            "debug = \"allow\"",
        ),
        (
            "forbidden = [\"tio_en\"]",
            "`snp.platform_info.allowed`",
            "allowed = 1",
        ),
        (
            "name = \"SmolLM2-135M-Instruct\"",
            "`models.accepted[0].size`",
            "size = 1",
        ),
        (
            "name = \"narthex-runtime 0.1.0\"",
            "`runtime.accepted[0].os`",
            "os = 1",
        ),
    ];
    for (line, field, more) in places {
        assert_mistake(line, &format!("{line}\n{more}"), unknown, field);
    }
    assert_mistake(
        "[snp.platform_info]",
        "[models.more]\n[snp.platform_info]",
        unknown,
        "`models.more`",
    );
}

#[test]
fn nothing_in_a_document_allows_debug_or_custom_anchors() {
    for key in ["debug", "allow_debug", "DEBUG", "debug_allowed"] {
        let more = format!("smt = \"allow\"\n{key} = \"allow\"");
        let (code, _) = mistake("smt = \"allow\"", &more);
        assert_eq!(code, "policy.document.unknown_field");
    }
    for key in ["anchors", "danger", "insecure", "simulated"] {
        let (code, _) = mistake("version = 7", &format!("version = 7\n{key} = true"));
        assert_eq!(code, "policy.document.unknown_field");
    }
}

#[test]
fn wrong_types_are_told_with_both_types() {
    let wrong = "policy.document.type";
    let cases = [
        ("schema = 1", "schema = \"1\"", "an integer, not string"),
        ("version = 7", "version = 7.0", "an integer, not float"),
        ("name = \"production\"", "name = 1", "a string, not integer"),
        (
            "2027-02-01T00:00:00Z",
            "\"2027-02-01T00:00:00Z\"",
            "a date-time, not string",
        ),
        (
            "[\"genoa\", \"turin\"]",
            "\"genoa\"",
            "an array, not string",
        ),
        (
            "vmpl = [0]",
            "vmpl = [\"0\"]",
            "`snp.vmpl[0]` must be an integer",
        ),
        (
            "[freshness]\nmax_age_seconds = 3600",
            "freshness = 1\n",
            "a table, not integer",
        ),
    ];
    for (from, to, told) in cases {
        let found = mistakes(&edited(from, to));
        let named = |m: &PolicyError| m.code() == wrong && m.to_string().contains(told);
        assert!(found.iter().any(named), "{to}: {found:?}");
    }
}

/// Edits of the sample that put a value out of its range, and what is told.
const OUT_OF_RANGE: &[(&str, &str, &str)] = &[
    (
        "version = 7",
        "version = 0",
        "`version` must be an integer from 1",
    ),
    ("version = 7", "version = -7", "`version`"),
    (
        "name = \"production\"",
        "name = \"\"",
        "1 to 128 characters",
    ),
    (
        "name = \"production\"",
        "name = \"a\\u0007\"",
        "control characters",
    ),
    (
        "2026-11-01T00:00:00Z",
        "2026-11-01T00:00:00",
        "with an offset",
    ),
    ("2026-11-01T00:00:00Z", "2026-11-01", "with an offset"),
    (
        "2026-11-01T00:00:00Z",
        "1969-11-01T00:00:00Z",
        "with an offset",
    ),
    (
        "max_age_seconds = 3600",
        "max_age_seconds = 0",
        "from 1 to 604800",
    ),
    (
        "max_age_seconds = 3600",
        "max_age_seconds = 604801",
        "from 1 to 604800",
    ),
    (
        "minimum_report_version = 3",
        "minimum_report_version = 6",
        "from 2 to 5",
    ),
    ("vmpl = [0]", "vmpl = [4]", "from 0 to 3"),
    ("tee = 0", "tee = 256", "from 0 to 255"),
    ("[\"vcek\"]", "[\"VCEK\"]", "one of \"vcek\", \"vlek\""),
    (
        "smt = \"allow\"",
        "smt = \"ignore\"",
        "one of \"allow\", \"require\", \"forbid\"",
    ),
    ("\"ecc_en\"", "\"ecc\"", "`snp.platform_info.required[0]`"),
    ("ccddeeff0011\"", "ccddeeff00\"", "96 hexadecimal digits"),
    (
        "ccddeeff0011\"",
        "ccddeeff001122\"",
        "96 hexadecimal digits",
    ),
    ("\"0f1e2d3c", "\"0g1e2d3c", "64 hexadecimal digits"),
];

#[test]
fn values_out_of_their_range() {
    let out = "policy.document.value";
    for (from, to, told) in OUT_OF_RANGE {
        assert_mistake(from, to, out, told);
    }
    let long = format!("name = \"{}\"", "a".repeat(129));
    assert_mistake("name = \"production\"", &long, out, "1 to 128 characters");
}

#[test]
fn an_unknown_product_spoils_its_floor_too() {
    let found = mistakes(&edited("[\"genoa\", \"turin\"]", "[\"genoa\", \"venice\"]"));
    assert!(found.iter().any(|m| {
        m.to_string()
            .contains("one of \"milan\", \"genoa\", \"turin\"")
    }));
}

#[test]
fn no_list_is_empty() {
    let empty = "policy.document.empty_list";
    let cases = [
        ("[\"genoa\", \"turin\"]", "[]", "`snp.products`"),
        ("vmpl = [0]", "vmpl = []", "`snp.vmpl`"),
        ("[\"vcek\"]", "[]", "`snp.signing_keys`"),
        (
            "[\"ecc_en\", \"alias_check_complete\"]",
            "[]",
            "`snp.platform_info.required`",
        ),
        ("[\"tio_en\"]", "[]", "`snp.platform_info.forbidden`"),
    ];
    for (from, to, told) in cases {
        assert_mistake(from, to, empty, told);
    }
    for table in ["models", "runtime"] {
        let start = sample().find(&format!("[[{table}.accepted]]")).unwrap();
        let end = start
            + sample()[start..]
                .find("\n\n")
                .unwrap_or(sample().len() - start);
        let text = sample().replace(&sample()[start..end], "");
        let text = format!("{text}\n[{table}]\naccepted = []\n");
        let found = mistakes(&text);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].code(), empty);
        assert!(
            found[0]
                .to_string()
                .contains(&format!("`{table}.accepted`"))
        );
    }
}

#[test]
fn measurements_and_floors_are_never_empty() {
    let measurements = sample().find("[[snp.measurements]]").unwrap()
        ..sample().find("[[snp.minimum_tcb]]").unwrap();
    let text = sample()
        .replace(&sample()[measurements], "")
        .replace("vmpl = [0]", "vmpl = [0]\nmeasurements = []");
    let found = mistakes(&text);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].code(), "policy.document.empty_list");

    let floors =
        sample().find("[[snp.minimum_tcb]]").unwrap()..sample().find("[snp.guest_policy]").unwrap();
    let text = sample()
        .replace(&sample()[floors], "")
        .replace("vmpl = [0]", "vmpl = [0]\nminimum_tcb = []");
    assert_eq!(mistakes(&text)[0].code(), "policy.document.empty_list");
}

#[test]
fn no_entry_stands_twice() {
    let twice = "policy.document.duplicate";
    assert_mistake("vmpl = [0]", "vmpl = [0, 1, 0]", twice, "`snp.vmpl[2]`");
    assert_mistake(
        "[\"vcek\"]",
        "[\"vcek\", \"vcek\"]",
        twice,
        "`snp.signing_keys[1]`",
    );
    assert_mistake(
        "[\"tio_en\"]",
        "[\"tio_en\", \"tio_en\"]",
        twice,
        "forbidden[1]",
    );
    let again = format!(
        "{}\n[[models.accepted]]\nname = \"other\"\ndigest = \"{}\"\n",
        sample(),
        "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0".to_uppercase()
    );
    let found = mistakes(&again);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].code(), twice);
    assert!(found[0].to_string().contains("`models.accepted[1]`"));
}

#[test]
fn contradictions() {
    let conflict = "policy.document.conflict";
    assert_mistake(
        "2027-02-01T00:00:00Z",
        "2026-11-01T00:00:00Z",
        conflict,
        "`expires` contradicts",
    );
    assert_mistake(
        "[\"tio_en\"]",
        "[\"ecc_en\"]",
        conflict,
        "`snp.platform_info` contradicts",
    );
    assert_mistake(
        "[\"genoa\", \"turin\"]",
        "[\"genoa\"]",
        conflict,
        "`snp.minimum_tcb` contradicts",
    );
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_the_text() {
    let text = edited("version = 7", "version = 0")
        .replace("vmpl = [0]", "vmpl = []")
        .replace("smt = \"allow\"", "debug = \"allow\"")
        .replace("\"genoa\", \"turin\"", "\"genoa\", \"turin\", \"rome\"");
    let found = mistakes(&text);
    let codes: Vec<_> = found.iter().map(PolicyError::code).collect();
    assert_eq!(
        codes,
        [
            "policy.document.value",
            "policy.document.value",
            "policy.document.empty_list",
            "policy.document.missing_field",
            "policy.document.unknown_field",
        ]
    );
    let lines: Vec<_> = found.iter().map(|m| m.position().unwrap().line).collect();
    assert!(lines.is_sorted(), "{lines:?}");
    assert_eq!(
        found[2].position().unwrap(),
        Position {
            line: 15,
            column: 8
        }
    );
}

#[test]
fn columns_count_characters() {
    let found = mistakes("\"é\" = 1\n\"éé\" = { \"ü\" = 1 } # schema comes last\nschema = 3\n");
    assert_eq!(
        found[0].position().unwrap(),
        Position {
            line: 3,
            column: 10
        }
    );
    let found = mistakes(&edited("name = \"production\"", "name = \"é\"; x = 1"));
    assert_eq!(
        found[0].position().unwrap(),
        Position {
            line: 3,
            column: 11
        }
    );
}

#[test]
fn a_flood_of_mistakes_is_cut() {
    use std::fmt::Write;
    let mut text = sample().to_owned();
    for number in 0..10_000 {
        writeln!(text, "unknown{number} = 1").unwrap();
    }
    assert_eq!(mistakes(&text).len(), 100);
}

#[test]
fn deep_nesting_is_a_mistake_and_no_overflow() {
    for deep in ["[".repeat(100_000), "{a=".repeat(100_000)] {
        assert!(Policy::from_toml(format!("schema = 1\nx = {deep}").as_bytes()).is_err());
    }
    let dotted = format!("schema = 1\n{} = 1", vec!["a"; 100_000].join("."));
    assert!(Policy::from_toml(dotted.as_bytes()).is_err());
}

#[test]
fn dates_may_leave_seconds_out_and_have_offsets() {
    let policy =
        Policy::from_toml(edited("2026-11-01T00:00:00Z", "2026-11-01 02:00+02:00").as_bytes());
    let expected = UnixTime::from_rfc3339("2026-11-01T00:00:00Z").unwrap();
    assert_eq!(policy.unwrap().not_before(), expected);
}

#[test]
fn optional_parts_may_be_absent() {
    let models = sample().find("[[models.accepted]]").unwrap();
    let platform = sample().find("[snp.platform_info]").unwrap();
    let policy = Policy::from_toml(&sample().as_bytes()[..platform]).unwrap();
    assert!(policy.models().is_none() && policy.runtimes().is_none());
    assert!(policy.snp().unwrap().platform_info.required.is_empty());
    assert!(
        Policy::from_toml(&sample().as_bytes()[..models])
            .unwrap()
            .models()
            .is_none()
    );
}

proptest! {
    #[test]
    fn a_mutated_document_never_panics(
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)
    ) {
        let mut bytes = sample().as_bytes().to_vec();
        for (index, byte) in edits {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        if let Err(mistakes) = Policy::from_toml(&bytes) {
            prop_assert!(!mistakes.is_empty());
        }
    }

    #[test]
    fn a_spliced_document_never_panics(
        cut in any::<prop::sample::Index>(), length in 0_usize..200, paste in any::<prop::sample::Index>()
    ) {
        let mut bytes = sample().as_bytes().to_vec();
        let start = cut.index(bytes.len());
        let end = (start + length).min(bytes.len());
        let piece: Vec<u8> = bytes.drain(start..end).collect();
        let at = paste.index(bytes.len());
        bytes.splice(at..at, piece);
        let _ = Policy::from_toml(&bytes);
    }

    #[test]
    fn any_text_never_panics(text in ".{0,400}") {
        let _ = Policy::from_toml(text.as_bytes());
    }
}
