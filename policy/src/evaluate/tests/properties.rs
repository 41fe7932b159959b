//! What holds for every policy and every node.

use super::{AT, MODEL, claims, snp_claims};
use crate::{
    Exception, HardwareId, Inventory, Orders, Policy, Reason, Timestamp, Waived,
    evaluate::{Subject, Surroundings, exceptions::waive},
    reason_codes, remedy,
    timestamp::Listed,
};
use attestation::{CpuClaims, NodeClaims, UnixTime, snp::Product};
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::{select, subsequence},
};

/// Everything but the tables that only take away.
const BASE: &str = r#"
schema = 1
version = 4
name = "test"
not_before = 1970-01-12T13:46:40Z
expires = 1970-01-24T03:33:20Z
"#;

/// Tables that every document of these tests has, in pieces whose order is free.
fn required_tables() -> Vec<String> {
    let measurement = "11".repeat(48);
    let tables = [
        "[snp]\nproducts = [\"turin\", \"milan\"]\nminimum_report_version = 3\nvmpl = [1, 0]\nsigning_keys = [\"vlek\", \"vcek\"]\n",
        "[freshness]\nmax_age_seconds = 600\n",
        "[[snp.minimum_tcb]]\nproduct = \"turin\"\nfmc = 1\nbootloader = 2\ntee = 3\nsnp = 4\nmicrocode = 5\n",
        "[[snp.minimum_tcb]]\nproduct = \"milan\"\nbootloader = 2\ntee = 3\nsnp = 4\nmicrocode = 6\n",
        "[snp.guest_policy]\nsmt = \"allow\"\nmigrate_ma = \"forbid\"\nsingle_socket = \"allow\"\ncxl_allow = \"forbid\"\nmem_aes_256_xts = \"require\"\nrapl_dis = \"allow\"\nciphertext_hiding_dram = \"allow\"\npage_swap_disable = \"allow\"\n",
    ];
    let measurements = [measurement, "12".repeat(48)].map(|digest| {
        let name = &digest[..2];
        format!("[[snp.measurements]]\nname = \"guest {name}\"\ndigest = \"{digest}\"\n")
    });
    tables
        .map(str::to_owned)
        .into_iter()
        .chain(measurements)
        .collect()
}

/// Tables that may be left out and only take away, each in pieces whose order is free.
fn optional_tables() -> Vec<Vec<String>> {
    let accepted = |list: &str, name: &str, digest: [u8; 32], more: &str| {
        let digest = hex::encode(digest);
        format!("[[{list}]]\nname = {name:?}\ndigest = {digest:?}\n{more}")
    };
    let table = |text: &str| vec![text.to_owned()];
    vec![
        vec![
            accepted(
                "models.accepted",
                "great",
                MODEL,
                "until = 1970-01-18T08:40:30Z\n",
            ),
            accepted(
                "models.accepted",
                "small",
                [0x44; 32],
                "retired = 1970-01-18T08:40:30Z\n",
            ),
        ],
        vec![
            accepted("runtime.accepted", "a", [0x33; 32], ""),
            accepted("runtime.accepted", "b", [0x34; 32], ""),
        ],
        vec![
            "[engine]\nmodes = [\"b\", \"a\"]\nisa = [\"scalar\"]\n".to_owned(),
            accepted("engine.kernels", "kernels", [5; 32], ""),
        ],
        vec![
            "[aibom]\nrequired = true\n".to_owned(),
            accepted("aibom.accepted", "bill", [8; 32], ""),
        ],
        table("[channel]\nminimum_padding = \"default\"\n"),
        table("[limits]\nmaximum_context_tokens = 2\n"),
        table("[residency]\ncountries = [\"NL\", \"DE\"]\n"),
        table("[residency]\nsites = [\"fra1\"]\n"),
        table("[lease]\nmax_age_seconds = 60\nwhen_absent = \"stop\"\n"),
        table(
            "[snp.platform_info]\nrequired = [\"alias_check_complete\"]\nforbidden = [\"tio_en\", \"smt_en\"]\n",
        ),
        table("[snp.required_mitigations]\nlaunch = [1]\n"),
    ]
}

/// The document of these pieces, which `order` puts in their order.
fn document(pieces: &[String]) -> Policy {
    let text = BASE.to_owned() + &pieces.concat();
    let parsed = Policy::from_toml(text.as_bytes());
    parsed.unwrap_or_else(|error| panic!("{error:?}\n{text}"))
}

/// The tables of `chosen`, of two with the same name the first.
fn pieces(chosen: &[usize]) -> Vec<String> {
    let tables = optional_tables();
    let chosen = chosen
        .iter()
        .filter(|index| **index != 7 || !chosen.contains(&6));
    let optional = chosen.flat_map(|index| tables[*index].clone());
    required_tables().into_iter().chain(optional).collect()
}

/// What may stand beside a policy.
#[derive(Clone, Debug)]
struct Beside {
    inventory: Option<Inventory>,
    orders: Orders,
    timestamp: Option<Timestamp>,
}

impl Beside {
    fn surroundings(&self) -> Surroundings<'_> {
        Surroundings {
            inventory: self.inventory.as_ref(),
            orders: &self.orders,
            timestamp: self.timestamp.as_ref(),
        }
    }
}

fn inventory(country: &str) -> Inventory {
    let chip = "07".repeat(64);
    let text = format!(
        "schema = 1\nversion = 1\nname = \"hardware\"\nnot_before = 1970-01-01T00:00:00Z\nexpires = 1970-02-01T00:00:00Z\n[[hardware]]\nid = \"snp:{chip}\"\nowner = \"o\"\nsite = \"fra1\"\ncountry = {country:?}\nvalid_from = 1970-01-01T00:00:00Z\n"
    );
    Inventory::from_toml(text.as_bytes()).unwrap()
}

fn timestamp(issued: UnixTime) -> Timestamp {
    let listed = Listed {
        version: 1,
        digest: [0; 32],
    };
    Timestamp {
        version: 1,
        digest: [0; 32],
        issued,
        expires: issued.plus(1000),
        root: listed,
        policy: listed,
        inventory: None,
        orders: None,
    }
}

prop_compose! {
    fn beside()(
        country in option::of(select(vec!["DE", "FR"])),
        age in option::of(0..120_u64),
    ) -> Beside {
        Beside {
            inventory: country.map(inventory),
            orders: Orders::none(),
            timestamp: age.map(|age| timestamp(UnixTime(AT.0 - age))),
        }
    }
}

prop_compose! {
    /// Claims that are mostly good.
    fn cpu()(
        product in select(vec![Product::Turin, Product::Turin, Product::Turin, Product::Milan]),
        chip_id in select(vec![Some([7; 64]), Some([7; 64]), Some([8; 64]), None]),
        measurement in select(vec![[0x11; 48], [0x12; 48], [0x13; 48]]),
        microcode in 4..8_u8,
        vmpl in 0..3_u32,
        platform_info in select(vec![1 << 5, 1 << 5, 0, 1 << 7]),
        migration in select(vec![0, 0, 0, 1 << 18]),
        launch_mit_vector in option::of(0..4_u64),
    ) -> CpuClaims {
        let mut snp = snp_claims();
        snp.product = product;
        snp.chip_id = chip_id;
        snp.measurement = measurement;
        snp.reported_tcb.microcode = microcode;
        snp.vmpl = vmpl;
        snp.platform_info = platform_info;
        snp.guest_policy ^= migration;
        snp.launch_mit_vector = launch_mit_vector;
        CpuClaims::Snp(Box::new(snp))
    }
}

prop_compose! {
    fn node()(
        cpu in cpu(),
        model in select(vec![("great", MODEL), ("great", MODEL), ("small", [0x44; 32]), ("small", MODEL)]),
        runtime_digest in select(vec![[0x33; 32], [0x34; 32], [0x35; 32]]),
        kernels_digest in select(vec![[5; 32], [5; 32], [6; 32]]),
        aibom_digest in select(vec![Some([8; 32]), Some([8; 32]), Some([9; 32]), None]),
        engine in select(vec!["a", "b", "c"]),
        isa in select(vec!["scalar", "scalar", "avx512-vnni"]),
        padding in select(vec!["off", "default", "strict", "another"]),
        max_context_tokens in 1..4_u32,
    ) -> NodeClaims {
        let mut node = NodeClaims { cpu, ..claims() };
        (node.manifest.model, node.manifest.model_digest) = (model.0.to_owned(), model.1);
        node.manifest.runtime_digest = runtime_digest;
        node.manifest.kernels_digest = kernels_digest;
        node.manifest.aibom_digest = aibom_digest;
        node.manifest.engine = engine.to_owned();
        node.manifest.isa = isa.to_owned();
        node.manifest.padding = padding.to_owned();
        node.manifest.max_context_tokens = max_context_tokens;
        node
    }
}

fn chosen_tables() -> impl Strategy<Value = Vec<usize>> {
    let count = optional_tables().len();
    subsequence((0..count).collect::<Vec<_>>(), 0..=count)
}

/// The reasons that exceptions leave, and what they waived.
fn judged(policy: &Policy, subject: &Subject<'_>) -> (Vec<Reason>, Vec<Waived>) {
    let mut reasons = policy.reasons(subject);
    let waived = waive(policy, subject, &mut reasons);
    (reasons, waived)
}

/// Times around the windows of models and exceptions.
fn asked() -> impl Strategy<Value = UnixTime> {
    (0..60_u64).prop_map(|seconds| AT.plus(seconds))
}

/// The text of an exception from 10 to 20 seconds after [`AT`].
fn exception(code: &str) -> String {
    let [from, until] = [10, 20].map(|seconds| AT.plus(seconds).to_rfc3339());
    format!(
        "[[exceptions]]\ncode = {code:?}\nwho = \"w\"\nwhy = \"y\"\nfrom = {from}\nuntil = {until}\n"
    )
}

fn waivable_code() -> impl Strategy<Value = &'static str> {
    let codes = reason_codes().filter(|code| remedy::waivable(code).is_some());
    select(codes.collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn adding_a_rule_never_admits_more(
        chosen in chosen_tables(),
        more in chosen_tables(),
        exceptions in vec(waivable_code(), 0..3),
        node in node(),
        beside in beside(),
        now in asked(),
    ) {
        let subject = Subject::claimed(&node, AT, now, beside.surroundings());
        let mut all = [chosen.clone(), more].concat();
        all.sort_unstable();
        all.dedup();
        // A table that gives way to another of its name would be a rule taken away.
        prop_assume!(!(chosen.contains(&7) && !chosen.contains(&6) && all.contains(&6)));
        let mut exceptions: Vec<_> = exceptions.into_iter().map(exception).collect();
        exceptions.sort();
        exceptions.dedup();
        let with = |chosen: &[usize]| document(&[pieces(chosen), exceptions.clone()].concat());
        let (fewer, _) = judged(&with(&chosen), &subject);
        let (more, _) = judged(&with(&all), &subject);
        for reason in &fewer {
            prop_assert!(more.contains(reason), "{reason:?} went away");
        }
    }

    #[test]
    fn an_exception_admits_nothing_outside_its_window(
        chosen in chosen_tables(),
        code in waivable_code(),
        node in node(),
        beside in beside(),
        now in asked(),
    ) {
        let subject = Subject::claimed(&node, AT, now, beside.surroundings());
        let without = document(&pieces(&chosen)).reasons(&subject);
        let policy = document(&[pieces(&chosen), vec![exception(code)]].concat());
        let (reasons, waived) = judged(&policy, &subject);
        let is_inside = (AT.plus(10)..=AT.plus(20)).contains(&now);
        let (expected_waived, expected): (Vec<_>, Vec<_>) = without
            .into_iter()
            .partition(|reason| is_inside && reason.code == code);
        prop_assert_eq!(reasons, expected);
        let waived_reasons: Vec<_> = waived.iter().map(|waived| waived.reason.clone()).collect();
        prop_assert_eq!(waived_reasons, expected_waived);
        let end = policy.not_after(&subject, &waived);
        prop_assert!(waived.is_empty() || end <= AT.plus(20));
    }

    #[test]
    fn no_exception_that_a_document_could_not_say_waives_anything(
        code in select(reason_codes().filter(|code| remedy::waivable(code).is_none()).collect::<Vec<_>>()),
        hardware in option::of(Just(HardwareId::SnpChip([7; 64]))),
    ) {
        let exception = Exception {
            code,
            rule: None,
            hardware,
            who: String::new(),
            why: String::new(),
            from: AT,
            until: AT.plus(1),
        };
        prop_assert!(exception.is_about(&Reason::new(code, "", "", "")));
        let text = BASE.to_owned() + &pieces(&[]).concat() + &self::exception(code);
        prop_assert!(Policy::from_toml(text.as_bytes()).is_err());
    }

    #[test]
    fn reasons_do_not_depend_on_the_order_of_tables_and_entries(
        (pieces, shuffled) in chosen_tables().prop_flat_map(|chosen| {
            let pieces = pieces(&chosen);
            (Just(pieces.clone()), Just(pieces).prop_shuffle())
        }),
        node in node(),
        beside in beside(),
        now in asked(),
    ) {
        let subject = Subject::claimed(&node, AT, now, beside.surroundings());
        prop_assert_eq!(document(&pieces).reasons(&subject), document(&shuffled).reasons(&subject));
    }
}

/// Each list of the document forwards and backwards.
#[test]
fn reasons_do_not_depend_on_the_order_within_a_list() {
    let orders = Orders::none();
    let mut node = claims();
    let CpuClaims::Snp(snp) = &mut node.cpu else {
        panic!("SNP");
    };
    (snp.vmpl, snp.product, snp.platform_info) = (3, Product::Genoa, 1 | 1 << 7);
    (node.manifest.engine, node.manifest.isa) = ("c".to_owned(), "c".to_owned());
    let subject = Subject::claimed(&node, AT, AT, Surroundings::with(&orders));
    let forwards = pieces(&(0..optional_tables().len()).collect::<Vec<_>>());
    let backwards: Vec<_> = forwards.iter().map(|piece| reversed(piece)).collect();
    assert_ne!(forwards, backwards);
    let reasons = document(&forwards).reasons(&subject);
    assert!(reasons.len() > 6, "{reasons:?}");
    assert_eq!(reasons, document(&backwards).reasons(&subject));
}

/// `x = [a, b]` as `x = [b, a]`.
fn reversed(piece: &str) -> String {
    let line = |line: &str| match line.split_once(" = [") {
        Some((name, list)) => {
            let mut entries: Vec<_> = list.trim_end_matches(']').split(", ").collect();
            entries.reverse();
            format!("{name} = [{}]\n", entries.join(", "))
        }
        None => format!("{line}\n"),
    };
    piece.lines().map(line).collect()
}
