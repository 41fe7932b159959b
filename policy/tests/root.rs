//! The root: its document, its rotations, and every way to miss them.

use crate::support::{self, NOW, sample, team, wrong};
use policy::{
    Envelope, PayloadType, PolicyError, Publication, Role, Root, RootDocument, TrustRoot,
    root::MAX_ROOT_BYTES,
};
use tee_sim::{
    PolicySigner, Publisher,
    publisher::{lines, signed},
};

fn root_sample() -> &'static str {
    sample("## The root")
}

fn mistakes(text: &str) -> Vec<PolicyError> {
    RootDocument::from_toml(text.as_bytes()).unwrap_err()
}

/// Code and message of the only mistake of the sample with `from` replaced by `to`.
fn mistake(from: &str, to: &str) -> (&'static str, String) {
    assert!(root_sample().contains(from), "{from}");
    let found = mistakes(&root_sample().replacen(from, to, 1));
    assert_eq!(found.len(), 1, "{from} -> {to}: {found:?}");
    (found[0].code(), found[0].to_string())
}

#[test]
fn the_sample_says_what_its_page_says() {
    let root = RootDocument::from_toml(root_sample().as_bytes()).unwrap();
    assert_eq!((root.version(), root.name()), (1, "hospital security"));
    assert_eq!(root.anchor(), None);
    assert_eq!(root.not_before(), NOW);
    assert_eq!(root.keys().len(), 4);
    let threshold = |role| root.role(role).map(TrustRoot::threshold);
    let thresholds = Role::ALL.map(threshold);
    assert_eq!(thresholds, [2, 2, 2, 1, 2, 1].map(Some));
    assert_eq!(
        root.role(Role::Timestamp).unwrap().keys()[0],
        root.keys()[3].key
    );
    let digest = attestation::crypto::sha256(root_sample().as_bytes());
    assert_eq!(*root.digest(), digest);
}

#[test]
fn every_required_field_is_required() {
    for (field, told) in [
        ("version = 1\n", "`version`"),
        ("name = \"hospital security\"\n", "`name`"),
        ("not_before = 2026-06-01T00:00:00Z\n", "`not_before`"),
        ("expires = 2027-06-01T00:00:00Z\n", "`expires`"),
        ("name = \"bob\"\n", "`keys[1].name`"),
        ("threshold = 2\n", "`roles.root.threshold`"),
        (
            "keys = [\"alice\", \"bob\", \"carol\"]\n",
            "`roles.root.keys`",
        ),
    ] {
        let (code, message) = mistake(field, "");
        assert_eq!(code, "policy.document.missing_field");
        assert!(message.contains(told), "{message}");
    }
    let (head, _) = root_sample().split_once("[roles.root]").unwrap();
    assert!(mistakes(head)[0].to_string().contains("`roles` is missing"));
}

#[test]
fn root_and_policy_must_be_somebodys_and_other_roles_need_not() {
    let without = |role: Role| {
        let mut draft = team().root;
        draft.roles.remove(&role);
        RootDocument::from_toml(draft.to_string().as_bytes())
    };
    for role in [Role::Root, Role::Policy] {
        let told = without(role).unwrap_err();
        assert_eq!(told.len(), 1);
        assert!(
            told[0]
                .to_string()
                .contains(&format!("`roles.{role}` is missing"))
        );
    }
    for role in [Role::Inventory, Role::Start, Role::Timestamp] {
        assert_eq!(without(role).unwrap().role(role), None);
    }
}

#[test]
fn unknown_fields_and_roles_are_refused() {
    for (from, to, told) in [
        ("schema = 1\n", "schema = 1\nother = 1\n", "`other`"),
        (
            "name = \"alice\"\n",
            "name = \"alice\"\nother = 1\n",
            "`keys[0].other`",
        ),
        (
            "threshold = 2\n",
            "threshold = 2\nother = 1\n",
            "`roles.root.other`",
        ),
        (
            "[roles.timestamp]",
            "[roles.mirror]\n[roles.timestamp]",
            "`roles.mirror`",
        ),
    ] {
        let (code, message) = mistake(from, to);
        assert_eq!(code, "policy.document.unknown_field");
        assert!(message.contains(told), "{message}");
    }
}

#[test]
fn values_out_of_their_range() {
    for (from, to, code) in [
        ("version = 1\n", "version = 0\n", "value"),
        ("\"d75a98", "\"d75a", "value"),
        ("threshold = 2\n", "threshold = 0\n", "value"),
        ("threshold = 2\n", "threshold = 4\n", "value"),
        ("threshold = 2\n", "threshold = \"2\"\n", "type"),
        (
            "keys = [\"alice\", \"bob\", \"carol\"]",
            "keys = []",
            "empty_list",
        ),
        (
            "keys = [\"alice\", \"bob\"",
            "keys = [\"alice\", \"alice\"",
            "duplicate",
        ),
        ("expires = 2027", "expires = 2025", "conflict"),
        ("schema = 1\n", "schema = 2\n", "schema"),
    ] {
        let (found, message) = mistake(from, to);
        assert_eq!(found, format!("policy.document.{code}"), "{message}");
    }
}

#[test]
fn no_key_and_no_name_stands_twice() {
    let alice = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    let bob = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
    for (from, to) in [
        (bob, alice.to_uppercase().as_str()),
        ("name = \"bob\"", "name = \"alice\""),
    ] {
        let (code, message) = mistake(from, to);
        assert_eq!(code, "policy.document.duplicate");
        assert!(
            message.starts_with("line 11, column 1: `keys[1]`"),
            "{message}"
        );
    }
}

#[test]
fn every_key_is_known_and_has_a_role() {
    let (code, message) = mistake(
        "[\"alice\", \"bob\", \"carol\"]",
        "[\"alice\", \"bob\", \"dave\"]",
    );
    assert_eq!(code, "policy.root.unknown_key");
    assert!(
        message.contains("line 24, column 25: there is no key \"dave\""),
        "{message}"
    );
    let (code, message) = mistake("keys = [\"signing service\"]", "keys = [\"alice\"]");
    assert_eq!(code, "policy.root.unused_key");
    assert!(
        message.contains("line 19, column 1: the key \"signing service\""),
        "{message}"
    );
}

#[test]
fn whoever_starts_is_more_than_whoever_stops() {
    let start = "[roles.start]\nkeys = [\"alice\", \"bob\", \"carol\"]\nthreshold = ";
    let (code, _) = mistake(&format!("{start}2"), &format!("{start}1"));
    assert_eq!(code, "policy.document.conflict");
    let stop = "[roles.stop]\nkeys = [\"alice\", \"bob\", \"carol\"]\nthreshold = 1\n";
    assert_eq!(mistake(stop, "").0, "policy.document.conflict");
    let neither = root_sample()
        .replace(stop, "")
        .replace(&format!("{start}2\n"), "");
    assert!(RootDocument::from_toml(neither.as_bytes()).is_ok());
    let only_stop = root_sample().replace(&format!("{start}2\n"), "");
    assert!(RootDocument::from_toml(only_stop.as_bytes()).is_ok());
}

#[test]
fn the_first_version_alone_has_no_anchor() {
    let anchor = format!("anchor = \"{}\"\n", "11".repeat(32));
    let (code, _) = mistake("version = 1\n", &format!("version = 1\n{anchor}"));
    assert_eq!(code, "policy.document.conflict");
    assert_eq!(
        mistake("version = 1\n", "version = 2\n").0,
        "policy.document.missing_field"
    );
    let second = root_sample().replacen("version = 1\n", &format!("version = 2\n{anchor}"), 1);
    let second = RootDocument::from_toml(second.as_bytes()).unwrap();
    assert_eq!(second.anchor(), Some(&[0x11; 32]));
}

#[test]
fn caps_and_text() {
    let large = vec![b' '; MAX_ROOT_BYTES + 1];
    let limit_bytes = MAX_ROOT_BYTES;
    let told = RootDocument::from_toml(&large).unwrap_err();
    assert_eq!(told, [PolicyError::TooLarge { limit_bytes }]);
    assert_eq!(
        RootDocument::from_toml(&[0xFF]).unwrap_err(),
        [PolicyError::NotUtf8]
    );
}

#[test]
fn a_root_is_pinned_if_its_own_keys_signed_it() {
    let team = team();
    let root = team.pinned();
    assert_eq!(root.anchor(), root.digest());
    assert_eq!((root.version(), root.name()), (1, "the three"));
    assert_eq!(root.expires(), Some(team.root.expires));
    assert_eq!(root.not_before(), Some(team.root.not_before));
    assert_eq!(root.name_of(&team.signers[1].public_key()), Some("bob"));
    assert_eq!(root.name_of(&[0; 32]), None);
    assert_eq!(root.keys().len(), 3);

    let text = team.root.to_string();
    let once = team.signed(PayloadType::Root, &text, 1);
    assert_eq!(code(Root::pinned(&once)), "policy.signature.too_few");
    let strangers = [PolicySigner::generate(), PolicySigner::generate()];
    let strange = signed(PayloadType::Root, &text, &strangers.each_ref());
    assert_eq!(code(Root::pinned(&strange)), "policy.signature.too_few");
    let broken = team.signed(PayloadType::Root, "schema = 1", 3);
    assert_eq!(code(Root::pinned(&broken)), "policy.document.missing_field");
}

fn code(result: Result<Root, Vec<PolicyError>>) -> &'static str {
    let errors = result.unwrap_err();
    errors[0].code()
}

/// The team's second root, its text changed by `edit`, signed by all three of the old and the newcomer.
fn second(team: &mut Publisher, edit: impl FnOnce(String) -> String) -> Envelope {
    let old: Vec<_> = team.signers.iter().map(|_| ()).collect();
    assert_eq!(old.len(), 3);
    team.rotate(2);
    let published = team.roots.pop().unwrap();
    let text = String::from_utf8(published.unverified_payload().to_vec()).unwrap();
    team.signed(PayloadType::Root, &edit(text), 3)
}

#[test]
fn a_successor_follows_by_one_under_the_same_anchor() {
    let mut team = team();
    let first = team.pinned();
    let successor = second(&mut team, |text| text);
    let next = first.rotated(&successor).unwrap();
    assert_eq!((next.version(), next.anchor()), (2, first.anchor()));
    assert_ne!(next.digest(), first.digest());
    assert_eq!(code(next.rotated(&successor)), "policy.root.version");

    let skipping = team.signed(
        PayloadType::Root,
        &team.root.to_string().replace("version = 2", "version = 3"),
        3,
    );
    assert_eq!(code(first.rotated(&skipping)), "policy.root.version");
    let elsewhere = team.root.to_string().replace(
        &format!("anchor = \"{}", hex(&first.anchor()[..2])),
        &format!(
            "anchor = \"{}",
            hex(&[!first.anchor()[0], first.anchor()[1]])
        ),
    );
    let elsewhere = team.signed(PayloadType::Root, &elsewhere, 3);
    assert_eq!(code(first.rotated(&elsewhere)), "policy.root.anchor");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// 2 of {a, b, c} hand over to 2 of {c, d, e}: every set of signers among the five.
#[test]
fn a_rotation_needs_both_thresholds() {
    let team = team();
    let newcomers = [PolicySigner::generate(), PolicySigner::generate()];
    let [alice, bob, carol] = &team.signers;
    let [dave, erin] = &newcomers;
    let mut next = team.root.clone();
    next.version = 2;
    next.anchor = Some(*team.pinned().anchor());
    next.keys[0].key = dave.public_key();
    next.keys[1].key = erin.public_key();
    let all = [alice, bob, carol, dave, erin];
    for set in 0_u32..32 {
        let has = |index: usize| set >> index & 1 == 1;
        let signers: Vec<_> = (0..5)
            .filter(|index| has(*index))
            .map(|index| all[index])
            .collect();
        let envelope = signed(PayloadType::Root, &next.to_string(), &signers);
        let count = |indices: [usize; 3]| indices.into_iter().filter(|index| has(*index)).count();
        let (old, new) = (count([0, 1, 2]), count([2, 3, 4]));
        let rotated = team.pinned().rotated(&envelope);
        assert_eq!(rotated.is_ok(), old >= 2 && new >= 2, "{set:05b}");
        if let Err(errors) = rotated {
            let told = if old >= 2 {
                "own root keys"
            } else {
                "keys so far"
            };
            assert!(
                errors[0].to_string().contains(told),
                "{set:05b}: {errors:?}"
            );
            assert!(errors[0].code().starts_with("policy.signature."));
        }
    }
}

#[test]
fn a_host_follows_from_whatever_version_it_pins() {
    let mut team = team();
    for index in [2, 2, 2] {
        team.rotate(index);
    }
    let verified =
        |pinned: &Root, team: &Publisher| Publication::parse(&team.files())?.verify(pinned, NOW);
    let mut pinned = team.pinned();
    for rotation in 1..=3 {
        assert_eq!(
            verified(&pinned, &team).unwrap().root().unwrap().version(),
            4
        );
        pinned = pinned.rotated(&team.roots[rotation]).unwrap();
    }
    assert_eq!(verified(&pinned, &team).unwrap().root(), Some(&pinned));
    assert_eq!(Root::pinned(&team.roots[3]).unwrap(), pinned);
}

#[test]
fn the_file_of_roots_has_no_gap_and_no_other_pinned_version() {
    let mut team = team();
    team.rotate(2);
    team.rotate(2);
    let told = |pinned: &Root, roots: &[Envelope]| {
        let mut files = team.files();
        files.roots = lines(roots);
        wrong(Publication::parse(&files).unwrap().verify(pinned, NOW))
    };
    let [first, second, third] = &team.roots[..] else {
        unreachable!("three roots");
    };
    let version = |entry| [("roots.jsonl", Some(entry), "policy.root.version")];
    let pinned = team.pinned();
    assert_eq!(told(&pinned, std::slice::from_ref(third)), version(1));
    assert_eq!(told(&pinned, &[second.clone(), second.clone()]), version(2));
    assert_eq!(told(&pinned, &[first.clone(), third.clone()]), version(2));
    let mut other = Publisher::new(NOW, &support::policy_text(1));
    other.rotate(1);
    let pinned = pinned.rotated(second).unwrap();
    assert_eq!(
        told(&pinned, &[other.roots[1].clone()]),
        [("roots.jsonl", Some(1), "policy.root.other")]
    );
}

#[test]
fn roles_have_the_names_of_the_document() {
    let names = Role::ALL.map(|role| role.to_string());
    assert_eq!(
        names,
        ["root", "policy", "inventory", "stop", "start", "timestamp"]
    );
    assert_eq!(Role::Start.signs(), PayloadType::Order);
    let kinds = Role::ALL.map(|role| role.signs().as_str());
    assert_eq!(
        kinds
            .iter()
            .collect::<std::collections::BTreeSet<_>>()
            .len(),
        5
    );
}
