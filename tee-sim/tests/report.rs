//! The simulated reports as another implementation (crate `sev`) reads them.

use attestation::{
    ReportData,
    snp::{Product, TcbVersion},
};
use sev::{firmware::guest::AttestationReport, parser::ByteParser};
use std::sync::LazyLock;
use tee_sim::{Machine, Vendor};

static MILAN: LazyLock<Vendor> = LazyLock::new(|| Vendor::invent(Product::Milan));

fn read(product: Product, version: u32) -> (Machine, AttestationReport) {
    let machine =
        Machine::new(&MILAN.for_product(product)).with_report(|report| report.version = version);
    let bytes = machine.signed_report(&ReportData([7; 64]));
    assert_eq!(bytes.len(), 1184);
    let report = AttestationReport::from_bytes(&bytes).unwrap();
    assert_eq!(
        report.to_bytes().unwrap().as_slice(),
        bytes,
        "every byte is a field's"
    );
    (machine, report)
}

fn assert_tcb(ours: TcbVersion, theirs: sev::firmware::host::TcbVersion) {
    assert_eq!(ours.fmc, theirs.fmc);
    assert_eq!(ours.bootloader, theirs.bootloader);
    assert_eq!(ours.tee, theirs.tee);
    assert_eq!(ours.snp, theirs.snp);
    assert_eq!(ours.microcode, theirs.microcode);
}

#[test]
fn every_field_stands_where_sev_reads_it() {
    for product in [Product::Milan, Product::Genoa, Product::Turin] {
        for version in [3, 5] {
            let (machine, theirs) = read(product, version);
            let ours = machine.report();
            assert_eq!(theirs.version, version);
            assert_eq!(theirs.report_data, [7; 64]);
            assert_eq!(theirs.measurement, ours.measurement);
            assert_eq!(theirs.chip_id, ours.chip_id);
            assert_eq!(theirs.report_id_ma, ours.report_id_ma);
            assert_eq!(u64::from(theirs.policy), ours.policy);
            assert_eq!(u64::from(theirs.plat_info), ours.platform_info);
            assert_eq!(theirs.cpuid_fam_id, Some(ours.cpuid.family));
            assert_eq!(theirs.cpuid_mod_id, Some(ours.cpuid.model));
            assert_eq!(theirs.current.major, ours.current_version.major);
            assert_eq!(theirs.committed.build, ours.committed_version.build);
            assert_tcb(ours.current_tcb, theirs.current_tcb);
            assert_tcb(ours.reported_tcb, theirs.reported_tcb);
            assert_tcb(ours.committed_tcb, theirs.committed_tcb);
            assert_tcb(ours.launch_tcb, theirs.launch_tcb);
        }
    }
}

#[test]
fn mitigation_vectors_come_with_version_5() {
    let (_, theirs) = read(Product::Turin, 5);
    assert_eq!(theirs.launch_mit_vector, Some(0x3F));
    assert_eq!(theirs.current_mit_vector, Some(0x3F));
    assert_eq!(read(Product::Turin, 3).1.launch_mit_vector, None);
}

#[test]
fn version_2_has_no_cpuid() {
    assert_eq!(read(Product::Milan, 2).1.cpuid_fam_id, None);
}
