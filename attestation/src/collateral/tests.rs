use super::{CollateralBundle, CollateralError, ItemKind, MAX_COLLATERAL_BYTES, SnpCollateral};
use crate::{UnixTime, cbor, nvidia::References, tdx::Collateral};
use ciborium::Value;
use proptest::prelude::*;

const CERTIFICATES: &str = "application/vnd.narthex.certs+cbor";
const TDX: &str = "application/vnd.narthex.tdx-collateral+cbor";

fn tcb_info(fmspc: &str, issued: &str, next: &str) -> Vec<u8> {
    format!(
        r#"{{"id":"TDX","version":3,"issueDate":"{issued}","nextUpdate":"{next}","fmspc":"{fmspc}"}}"#
    )
    .into_bytes()
}

fn tdx() -> Collateral {
    Collateral {
        tcb_info: tcb_info("b0c06f000000", "2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z"),
        tcb_info_signature: vec![1; 64],
        tcb_info_issuer_chain: vec![vec![2; 10], vec![1; 10]],
        qe_identity: br#"{"id":"TD_QE","issueDate":"2026-05-01T00:00:00Z","nextUpdate":"2026-06-01T00:00:00Z"}"#.to_vec(),
        qe_identity_signature: vec![2; 64],
        qe_identity_issuer_chain: vec![vec![3; 10]],
        root_ca_crl: vec![4; 10],
        pck_crl: vec![5; 10],
        pck_crl_issuer_chain: vec![vec![6; 10]],
        pck_certificate_chain: Some(vec![vec![7; 10]]),
    }
}

fn bundle() -> CollateralBundle {
    CollateralBundle {
        snp: SnpCollateral {
            certificates: vec![vec![1; 10], vec![2; 9]],
            crls: vec![vec![3; 10]],
        },
        tdx: vec![tdx()],
        nvidia: References {
            rims: vec![vec![4; 10]],
            ocsp: vec![vec![5; 10]],
        },
    }
}

/// A bundle of the one entry.
fn of_entry(
    name: &str,
    media_type: &str,
    items: &Value,
) -> Result<CollateralBundle, CollateralError> {
    let record = vec![Value::from(media_type), Value::Bytes(cbor::encode(items))];
    read([(name, Value::Array(record))])
}

fn read<'a>(
    entries: impl IntoIterator<Item = (&'a str, Value)>,
) -> Result<CollateralBundle, CollateralError> {
    CollateralBundle::from_cbor(&cbor::encode(&cbor::map(entries)))
}

fn byte_strings(items: &[&[u8]]) -> Value {
    Value::Array(items.iter().map(|item| Value::from(*item)).collect())
}

/// The bundle with its one TDX record changed.
fn with_tdx(change: impl FnOnce(&mut Vec<(Value, Value)>)) -> CollateralError {
    let record = super::tdx_record::write(&tdx());
    let mut fields = cbor::decode(&record, record.len())
        .and_then(|value| value.into_map().ok())
        .unwrap();
    change(&mut fields);
    let record = cbor::encode(&Value::Map(fields));
    of_entry("tdx", TDX, &byte_strings(&[&record])).unwrap_err()
}

fn field<'a>(fields: &'a mut [(Value, Value)], name: &str) -> &'a mut Value {
    let found = fields
        .iter_mut()
        .find(|(key, _)| key.as_text() == Some(name));
    &mut found.unwrap().1
}

#[test]
fn it_survives_the_disk_whole_and_in_parts() {
    let without_pck = Collateral {
        pck_certificate_chain: None,
        ..tdx()
    };
    let parts = [
        bundle(),
        CollateralBundle {
            snp: bundle().snp,
            ..CollateralBundle::default()
        },
        CollateralBundle {
            tdx: vec![without_pck],
            ..CollateralBundle::default()
        },
        CollateralBundle {
            nvidia: bundle().nvidia,
            ..CollateralBundle::default()
        },
    ];
    for part in parts {
        assert_eq!(CollateralBundle::from_cbor(&part.to_cbor()), Ok(part));
    }
}

#[test]
fn order_and_repetition_leave_no_trace() {
    let mut shuffled = bundle();
    shuffled.snp.certificates.reverse();
    shuffled.snp.certificates.push(vec![1; 10]);
    shuffled.tdx.push(tdx());
    assert_eq!(shuffled.to_cbor(), bundle().to_cbor());
    assert_eq!(
        shuffled.merge(CollateralBundle::default()),
        bundle(),
        "merged with nothing"
    );
}

#[test]
fn merging_is_a_union() {
    let mut other = bundle();
    other.snp.crls = vec![vec![9; 3]];
    other.tdx.insert(
        0,
        Collateral {
            tcb_info: vec![9; 20],
            ..tdx()
        },
    );
    let merged = bundle().merge(other.clone());
    assert_eq!(merged, other.clone().merge(bundle()));
    assert_eq!(merged.clone().merge(other), merged);
    assert_eq!((merged.snp.crls.len(), merged.tdx.len()), (2, 2));
    assert_eq!(merged.snp.certificates, bundle().snp.certificates);
    assert_eq!(CollateralBundle::from_cbor(&merged.to_cbor()), Ok(merged));
}

#[test]
fn size_and_encoding() {
    let too_long = vec![0; MAX_COLLATERAL_BYTES + 1];
    assert_eq!(
        CollateralBundle::from_cbor(&too_long),
        Err(CollateralError::TooLarge)
    );
    let mut trailing = bundle().to_cbor();
    trailing.push(0);
    for bytes in [&[][..], &[0x80], &[0xbf, 0xff], &trailing] {
        assert_eq!(
            CollateralBundle::from_cbor(bytes),
            Err(CollateralError::NotDeterministic)
        );
    }
}

#[test]
fn nothing_is_no_bundle() {
    assert_eq!(read([]), Err(CollateralError::Empty));
    assert_eq!(
        CollateralBundle::from_cbor(&CollateralBundle::default().to_cbor()),
        Err(CollateralError::Empty)
    );
}

#[test]
fn entries_of_another_shape() {
    let name = "snp-certificates";
    let fault = Err(CollateralError::Entry(name));
    let one = byte_strings(&[b"a"]);
    assert!(of_entry(name, CERTIFICATES, &one).is_ok());
    assert_eq!(of_entry(name, "application/pkix-cert", &one), fault);
    assert_eq!(of_entry(name, CERTIFICATES, &byte_strings(&[])), fault);
    assert_eq!(of_entry(name, CERTIFICATES, &byte_strings(&[b""])), fault);
    assert_eq!(
        of_entry(name, CERTIFICATES, &Value::Array(vec![Value::from("a")])),
        fault
    );
    assert_eq!(of_entry(name, CERTIFICATES, &Value::from("a")), fault);
    let media_type = Value::from(CERTIFICATES);
    for record in [
        Value::Null,
        Value::Array(vec![media_type.clone()]),
        Value::Array(vec![media_type, Value::Bytes(vec![0xff])]),
    ] {
        assert_eq!(read([(name, record)]), fault);
    }
}

#[test]
fn doubled_and_unordered_items() {
    for items in [&[b"a", b"a"], &[b"b", b"a"]] {
        let items = byte_strings(&items.map(|item| item.as_slice()));
        assert_eq!(
            of_entry("snp-certificates", CERTIFICATES, &items),
            Err(CollateralError::Order("snp-certificates"))
        );
    }
}

#[test]
fn too_many_and_too_large_items() {
    let certificates: Vec<_> = (0..1025_u16)
        .map(|number| number.to_be_bytes().to_vec())
        .collect();
    let mut many = CollateralBundle::default();
    many.snp.certificates = certificates;
    assert_eq!(
        CollateralBundle::from_cbor(&many.to_cbor()),
        Err(CollateralError::Count("snp-certificates"))
    );
    many.snp.certificates.pop();
    assert!(CollateralBundle::from_cbor(&many.to_cbor()).is_ok());
    many.snp.certificates = vec![vec![1; 8193]];
    assert_eq!(
        CollateralBundle::from_cbor(&many.to_cbor()),
        Err(CollateralError::PartSize("snp-certificates"))
    );
    many.snp.certificates = vec![vec![1; 8192]];
    assert!(CollateralBundle::from_cbor(&many.to_cbor()).is_ok());
}

#[test]
fn unknown_entries() {
    let entry = ("tpm", Value::Null);
    assert_eq!(read([entry]), Err(CollateralError::UnknownEntry));
    let unknown = with_tdx(|fields| fields.push((Value::from("x"), Value::Null)));
    assert_eq!(unknown, CollateralError::UnknownEntry);
}

#[test]
fn every_part_of_intels_collateral_is_needed_but_the_pck_chain() {
    let record = super::tdx_record::write(&tdx());
    let fields = cbor::decode(&record, record.len())
        .unwrap()
        .into_map()
        .unwrap();
    assert_eq!(fields.len(), 10);
    for (key, _) in &fields {
        let name = key.as_text().unwrap();
        if name == "pck-certificate-chain" {
            continue;
        }
        let fault = with_tdx(|fields| fields.retain(|(other, _)| other != key));
        assert_eq!(
            fault.to_string(),
            CollateralError::Entry(static_name(name)).to_string()
        );
    }
}

fn static_name(name: &str) -> &'static str {
    Box::leak(name.to_owned().into_boxed_str())
}

#[test]
fn parts_of_intels_collateral_are_sized() {
    let long = |name: &'static str, bytes: usize| {
        with_tdx(|fields| *field(fields, name) = Value::Bytes(vec![1; bytes]))
    };
    assert_eq!(
        long("tcb-info", 256 * 1024 + 1),
        CollateralError::PartSize("tcb-info")
    );
    assert_eq!(
        long("pck-crl", 512 * 1024 + 1),
        CollateralError::PartSize("pck-crl")
    );
    assert_eq!(
        long("root-ca-crl", 0),
        CollateralError::Entry("root-ca-crl")
    );
    assert_eq!(
        long("tcb-info-signature", 65),
        CollateralError::Entry("tcb-info-signature")
    );
    let chain = |certificates: Vec<Value>| {
        with_tdx(|fields| *field(fields, "pck-certificate-chain") = Value::Array(certificates))
    };
    let name = "pck-certificate-chain";
    assert_eq!(chain(vec![]), CollateralError::Entry(name));
    assert_eq!(
        chain(vec![Value::Bytes(vec![1]); 5]),
        CollateralError::Count(name)
    );
    assert_eq!(
        chain(vec![Value::Bytes(vec![1; 8193])]),
        CollateralError::PartSize(name)
    );
    let not_a_map = of_entry("tdx", TDX, &byte_strings(&[b"\x80"]));
    assert_eq!(not_a_map, Err(CollateralError::Entry("tdx")));
}

#[test]
fn codes_are_stable() {
    let codes = [
        (CollateralError::TooLarge, "collateral.size"),
        (CollateralError::NotDeterministic, "collateral.encoding"),
        (CollateralError::Entry(""), "collateral.entry"),
        (CollateralError::Count(""), "collateral.count"),
        (CollateralError::PartSize(""), "collateral.part_size"),
        (CollateralError::Order(""), "collateral.order"),
        (CollateralError::UnknownEntry, "collateral.unknown_entry"),
        (CollateralError::Empty, "collateral.empty"),
    ];
    for (error, code) in codes {
        assert_eq!(error.code(), code);
    }
}

#[test]
fn contents_tell_what_cannot_be_read() {
    let items = bundle().contents();
    assert_eq!(items.len(), 13);
    let readable: Vec<_> = items.iter().filter(|item| item.window.is_some()).collect();
    let names: Vec<_> = readable.iter().map(|item| item.name.as_str()).collect();
    assert_eq!(names, ["FMSPC B0C06F000000", "TD_QE"]);
    assert_eq!(readable[0].kind, ItemKind::TdxTcbInfo);
    let window = readable[0].window.unwrap();
    assert_eq!(window.not_before.to_rfc3339(), "2026-06-01T00:00:00Z");
    assert_eq!(window.not_after.to_rfc3339(), "2026-07-01T00:00:00Z");
}

#[test]
fn contents_name_amds_certificates() {
    let ark = include_bytes!("../../roots/ark-milan.der").to_vec();
    let mut amd = CollateralBundle::default();
    amd.snp.certificates.push(ark);
    let [item] = <[_; 1]>::try_from(amd.contents()).unwrap();
    assert_eq!(
        (item.kind, item.name.as_str()),
        (ItemKind::SnpCertificate, "ARK-Milan")
    );
    assert_eq!(
        item.window.unwrap().not_after.to_rfc3339(),
        "2045-10-22T17:23:05Z"
    );
}

#[test]
fn of_several_issues_the_current_one_is_taken_then_the_newest() {
    let issue = |month: u8| Collateral {
        tcb_info: tcb_info(
            "B0C06F000000",
            &format!("2026-{month:02}-01T00:00:00Z"),
            &format!("2026-{:02}-01T00:00:00Z", month + 2),
        ),
        ..tdx()
    };
    let bundle = CollateralBundle {
        tdx: vec![issue(3), issue(1), issue(2)],
        ..CollateralBundle::default()
    };
    let fmspc = [0xB0, 0xC0, 0x6F, 0, 0, 0];
    let taken = |time: &str| bundle.tdx_of(fmspc, UnixTime::from_rfc3339(time).unwrap());
    assert_eq!(taken("2026-01-15T00:00:00Z"), Some(&issue(1)));
    assert_eq!(taken("2026-02-15T00:00:00Z"), Some(&issue(2)));
    assert_eq!(taken("2026-04-15T00:00:00Z"), Some(&issue(3)));
    assert_eq!(
        taken("2027-01-01T00:00:00Z"),
        Some(&issue(3)),
        "expired, not absent"
    );
    assert_eq!(bundle.tdx_of([0; 6], UnixTime(0)), None);
}

proptest! {
    #[test]
    fn accepted_bytes_are_the_only_encoding(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut bytes = bundle().to_cbor();
        for (index, byte) in flips {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        if let Ok(read) = CollateralBundle::from_cbor(&bytes) {
            prop_assert_eq!(read.to_cbor(), bytes);
        }
    }
}
