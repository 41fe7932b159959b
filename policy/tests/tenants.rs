//! The tenants of a policy: read from the sample of docs/policy.md, and every mistake in them.

use policy::{Policy, PolicyError};

const KEY: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
const OTHER_KEY: &str = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";

/// The sample without its tenants.
fn without_tenants() -> &'static str {
    let page = include_str!("../../docs/policy.md");
    let (_, after) = page.split_once("```toml\n").unwrap();
    after.split_once("[[tenants]]").unwrap().0
}

fn tenant(name: &str, key: &str) -> String {
    format!("[[tenants]]\nname = \"{name}\"\nkey = \"{key}\"\n")
}

fn read(tenants: &str) -> Result<Policy, Vec<PolicyError>> {
    Policy::from_toml(format!("{}{tenants}", without_tenants()).as_bytes())
}

/// The one mistake of `tenants`, as code and message.
fn mistake(tenants: &str) -> (&'static str, String) {
    let mistakes = read(tenants).unwrap_err();
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    (mistakes[0].code(), mistakes[0].to_string())
}

#[test]
fn tenants_come_in_the_documents_order() {
    let policy = read(&(tenant("b", KEY) + &tenant("a", OTHER_KEY))).unwrap();
    let tenants: Vec<_> = policy.tenants().unwrap().iter().collect();
    assert_eq!(
        (tenants[0].name.as_str(), tenants[1].name.as_str()),
        ("b", "a")
    );
    assert_eq!(hex(&tenants[0].key), KEY);
    assert_eq!(hex(&tenants[1].key), OTHER_KEY);
}

#[test]
fn a_policy_without_tenants_names_none() {
    assert!(read("").unwrap().tenants().is_none());
}

#[test]
fn no_name_and_no_key_stands_twice() {
    for second in [tenant("a", OTHER_KEY), tenant("b", &KEY.to_uppercase())] {
        let (code, told) = mistake(&(tenant("a", KEY) + &second));
        assert_eq!(code, "policy.document.duplicate");
        assert!(told.contains("`tenants[1]`"), "{told}");
    }
}

#[test]
fn every_other_mistake_is_told() {
    let one = tenant("a", KEY);
    for (tenants, code, field) in [
        (
            one.replace("name = \"a\"\n", ""),
            "missing_field",
            "`tenants[0].name`",
        ),
        (
            one.replace("key", "kex"),
            "unknown_field",
            "`tenants[0].kex`",
        ),
        (tenant("", KEY), "value", "`tenants[0].name`"),
        (tenant("a", &KEY[2..]), "value", "`tenants[0].key`"),
        (
            tenant("a", &format!("{KEY}00")),
            "value",
            "`tenants[0].key`",
        ),
        (
            one.replace(&format!("\"{KEY}\""), "1"),
            "type",
            "`tenants[0].key`",
        ),
    ] {
        let found = read(&tenants).unwrap_err();
        let code = format!("policy.document.{code}");
        let told =
            |mistake: &PolicyError| mistake.code() == code && mistake.to_string().contains(field);
        assert!(found.iter().any(told), "{code} {field}: {found:?}");
    }
    let begins = without_tenants().replacen("schema = 1\n", "schema = 1\ntenants = []\n", 1);
    let found = Policy::from_toml(begins.as_bytes()).unwrap_err();
    assert_eq!(found[0].code(), "policy.document.empty_list");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
