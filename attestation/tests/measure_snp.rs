//! SNP launch digests: crate `sev` and IBM's sev-snp-measure as second opinions, and every way in which an image can be wrong.

use crate::ovmf::{Ovmf, SEV_ES_RESET_BLOCK, SEV_HASH_TABLE, SEV_METADATA, words};
use crate::{ovmf, support};
use attestation::{
    ErrorClass,
    measure::{
        MeasureError,
        snp::{BootDigests, Guest, IdBlock, VCPU_TYPES, Vmm, key_digest, launch_digest},
    },
};
use proptest::prelude::*;
use sev::measurement::{
    snp::{SnpMeasurementArgs, snp_calc_launch_digest},
    vcpu_types::CpuType,
    vmsa::{GuestFeatures, VMMType},
};
use std::{fs, path::Path};

/// A guest of QEMU's with one virtual CPU that boots from its disk.
fn guest(firmware: &[u8]) -> Guest<'_> {
    Guest {
        firmware,
        vcpus: 1,
        vmm: Vmm::Qemu,
        reset_edx: 0x0080_0f12,
        guest_features: 1,
        boot: None,
    }
}

fn digest(guest: &Guest<'_>) -> String {
    hex::encode(launch_digest(guest).unwrap().digest)
}

/// The last 4096 bytes of an OVMF build, from crate `sev`'s package.
fn shipped(name: &str) -> Vec<u8> {
    let folder = support::sev_package().join("tests/measurement");
    fs::read(folder.join(format!("ovmf_{name}_suffix.bin"))).unwrap()
}

/// What sev-snp-measure 0.0.13 prints for the same files; kernel `kernel`, initrd `initrd`, command line `console=ttyS0 quiet`.
#[test]
fn three_machine_monitors_measure_as_sev_snp_measure_says() {
    for line in include_str!("sev_snp_measure.tsv").lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [ovmf, vmm, vcpus, features, vcpu_type, boot, expected] = columns[..] else {
            panic!("{line}");
        };
        let firmware = shipped(ovmf);
        let vmm = match vmm {
            "qemu" => Vmm::Qemu,
            "ec2" => Vmm::Ec2,
            _ => Vmm::Gce,
        };
        let of_type = attestation::measure::snp::vcpu_type_signature(vcpu_type).unwrap();
        let guest = Guest {
            firmware: &firmware,
            vcpus: vcpus.parse().unwrap(),
            vmm,
            reset_edx: vmm.reset_edx().unwrap_or(of_type),
            guest_features: features.parse().unwrap(),
            boot: (boot == "yes")
                .then(|| BootDigests::of(b"kernel", b"initrd", "console=ttyS0 quiet")),
        };
        assert_eq!(digest(&guest), expected, "{line}");
    }
}

#[test]
fn the_published_measurement_of_crate_sev_comes_out() {
    let firmware = shipped("AmdSev");
    let guest = Guest {
        guest_features: 0x21,
        boot: Some(BootDigests::of(b"", b"", "console=ttyS0 loglevel=7")),
        ..guest(&firmware)
    };
    assert_eq!(
        digest(&guest),
        "803f691094946e42068aaa3a8f9e26a5c89f36f7b73ecfb28c653360fe4b3aba7e534442e7e1e17895dfe778d0228977"
    );
}

/// What crate `sev` computes of the same guest, from files in `folder`.
fn oracle(guest: &Guest<'_>, cpu: CpuType, boot: Option<&[&str; 3]>, folder: &Path) -> String {
    let file = |name: &str, content: &[u8]| {
        let path = folder.join(name);
        fs::write(&path, content).unwrap();
        path
    };
    let arguments = SnpMeasurementArgs {
        vcpus: guest.vcpus,
        vcpu_type: cpu,
        ovmf_file: file("ovmf", guest.firmware),
        guest_features: GuestFeatures(guest.guest_features),
        kernel_file: boot.map(|[kernel, ..]| file("kernel", kernel.as_bytes())),
        initrd_file: boot.map(|[_, initrd, _]| file("initrd", initrd.as_bytes())),
        append: boot.map(|[.., append]| *append),
        ovmf_hash_str: None,
        vmm_type: Some(match guest.vmm {
            Vmm::Ec2 => VMMType::EC2,
            _ => VMMType::QEMU,
        }),
    };
    snp_calc_launch_digest(arguments).unwrap().get_hex_ld()
}

/// What is started directly: kernel, initrd and a command line without the white space at its ends that crate `sev` takes away.
fn any_boot() -> impl Strategy<Value = Option<[String; 3]>> {
    let parts = (
        "[a-z]{1,20}",
        "[a-z]{0,20}",
        "([a-z=]{1,9}( [a-z=]{1,9})?)?",
    );
    prop::option::of(parts.prop_map(|(kernel, initrd, append)| [kernel, initrd, append]))
}

/// Sections of whole pages, those that fill one page with one.
fn any_sections() -> impl Strategy<Value = Vec<[u32; 3]>> {
    let types = prop::sample::select(vec![1, 2, 3, 4]);
    let section = (types, 0_u32..0x800, 1_u32..5).prop_map(|(section_type, page, pages)| {
        let pages = if matches!(section_type, 2 | 3) {
            1
        } else {
            pages
        };
        [page * 0x1000, pages * 0x1000, section_type]
    });
    prop::collection::vec(section, 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// EDX is 0 under EC2 in crate `sev`, as it was before April 2026.
    #[test]
    fn crate_sev_computes_the_same(
        sections in any_sections(),
        (pages, fill, reset) in (1_usize..5, any::<u8>(), 1_u32..),
        (vcpus, features) in (1_u32..9, any::<u64>()),
        vcpu_type in 0..VCPU_TYPES.len(),
        is_ec2: bool,
        boot in any_boot(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut ovmf = Ovmf { pages, fill, ..Ovmf::sound() }
            .with(SEV_ES_RESET_BLOCK, words(&[reset]));
        ovmf.metadata.sections.splice(1..1, sections);
        let firmware = ovmf.build();
        let (name, signature) = VCPU_TYPES[vcpu_type];
        let boot_digests = boot.as_ref().map(|[kernel, initrd, append]| {
            BootDigests::of(kernel.as_bytes(), initrd.as_bytes(), append)
        });
        let guest = Guest {
            firmware: &firmware,
            vcpus,
            vmm: if is_ec2 { Vmm::Ec2 } else { Vmm::Qemu },
            reset_edx: if is_ec2 { 0 } else { signature },
            guest_features: features | 1,
            boot: boot_digests,
        };
        let boot = boot.as_ref().map(|boot| boot.each_ref().map(String::as_str));
        let cpu = CpuType::try_from(name).unwrap();
        prop_assert_eq!(digest(&guest), oracle(&guest, cpu, boot.as_ref(), folder.path()));
    }

    #[test]
    fn no_image_panics(
        noise in prop::collection::vec((0_usize..0x900, any::<u8>()), 0..12),
    ) {
        let mut firmware = Ovmf::sound().build();
        let end = firmware.len() - 1;
        for (offset, byte) in noise {
            firmware[end - offset] = byte;
        }
        let _ = launch_digest(&Guest { vcpus: 2, ..guest(&firmware) });
    }
}

#[test]
fn the_explanation_ends_in_the_digest() {
    let firmware = Ovmf::sound().build();
    let guest = Guest {
        vcpus: 2,
        boot: Some(BootDigests::of(b"k", b"i", "")),
        ..guest(&firmware)
    };
    let measured = launch_digest(&guest).unwrap();
    let told: Vec<_> = measured
        .regions
        .iter()
        .map(|region| (region.kind, region.operation, region.gpa, region.size_bytes))
        .collect();
    assert_eq!(
        told,
        [
            ("firmware", "PAGE_TYPE_NORMAL", 0xffff_d000, 0x3000),
            ("SNP_SEC_MEM", "PAGE_TYPE_ZERO", 0x80_0000, 0x9000),
            ("SNP_SECRETS", "PAGE_TYPE_SECRETS", 0x80_d000, 0x1000),
            ("CPUID", "PAGE_TYPE_CPUID", 0x80_e000, 0x1000),
            ("SVSM_CAA", "PAGE_TYPE_ZERO", 0x80_f000, 0x1000),
            ("KERNEL_HASHES", "PAGE_TYPE_NORMAL", 0x81_0000, 0x1000),
            (
                "VMSA of the bootstrap processor",
                "PAGE_TYPE_VMSA",
                0xffff_ffff_f000,
                0x1000
            ),
            (
                "VMSA of an application processor",
                "PAGE_TYPE_VMSA",
                0xffff_ffff_f000,
                0x1000
            ),
        ]
    );
    assert_eq!(measured.regions.last().unwrap().digest, measured.digest);
}

#[test]
fn everything_that_is_started_counts() {
    let firmware = Ovmf::sound().build();
    let sound = Guest {
        vcpus: 2,
        boot: Some(BootDigests::of(b"k", b"i", "c")),
        ..guest(&firmware)
    };
    let other_fill = Ovmf {
        fill: 1,
        ..Ovmf::sound()
    }
    .build();
    let with_boot = |kernel: &str, initrd: &str, line| Guest {
        boot: Some(BootDigests::of(kernel.as_bytes(), initrd.as_bytes(), line)),
        ..sound
    };
    let others = [
        Guest {
            firmware: &other_fill,
            ..sound
        },
        Guest { vcpus: 3, ..sound },
        Guest {
            vmm: Vmm::Ec2,
            ..sound
        },
        Guest {
            vmm: Vmm::Gce,
            ..sound
        },
        Guest {
            reset_edx: 0x600,
            ..sound
        },
        Guest {
            guest_features: 0x21,
            ..sound
        },
        Guest {
            boot: None,
            ..sound
        },
        with_boot("K", "i", "c"),
        with_boot("k", "I", "c"),
        with_boot("k", "i", "c "),
    ];
    let mut digests: Vec<_> = others.iter().map(digest).collect();
    digests.push(digest(&sound));
    digests.sort();
    digests.dedup();
    assert_eq!(digests.len(), others.len() + 1);
}

/// A spoiled image and the code of its refusal, for a guest of two virtual CPUs with a kernel.
type Fault = (Ovmf, &'static str);

fn metadata_faults() -> Vec<Fault> {
    let change = |change: fn(&mut ovmf::Metadata)| {
        let mut ovmf = Ovmf::sound();
        change(&mut ovmf.metadata);
        ovmf
    };
    let pointer = |data| Ovmf::sound().with(SEV_METADATA, data);
    let spoiled = [
        pointer(words(&[0x10_0000])),
        pointer(words(&[2])),
        pointer(words(&[0x800, 0])),
        pointer(vec![0, 8]),
        change(|metadata| metadata.signature = *b"ASEW"),
        change(|metadata| metadata.version = 2),
        change(|metadata| metadata.length = Some(77)),
        change(|metadata| metadata.count = Some(4)),
        change(|metadata| metadata.count = Some(u32::MAX)),
        change(|metadata| metadata.sections.clear()),
    ];
    spoiled.map(|ovmf| (ovmf, "measure.snp.metadata")).to_vec()
}

fn section_faults() -> Vec<Fault> {
    let spoiled = [
        [0x80_0000, 0, 1],
        [0x80_0000, 0x1001, 1],
        [0x80_0001, 0x1000, 1],
        [0xffff_f000, 0x2000, 1],
        [0, 0x2000_0000, 1],
        [0x80_0000, 0x2000, 2],
        [0x80_0000, 0x2000, 3],
        [0x80_0000, 0x2000, 0x10],
    ];
    spoiled
        .map(|section| {
            let ovmf = Ovmf::sound().with_sections(&[section]);
            (ovmf, "measure.snp.section")
        })
        .to_vec()
}

fn boot_faults() -> Vec<Fault> {
    let table = |data: &[u32]| Ovmf::sound().with(SEV_HASH_TABLE, words(data));
    let spoiled = [
        Ovmf::sound().with_sections(&[[0x80_0000, 0x1000, 1]]),
        Ovmf::sound().without(SEV_HASH_TABLE),
        table(&[0x81_1000, 0x400]),
        table(&[0x80_0c00, 0x400]),
        table(&[0x81_0f60, 0x400]),
        table(&[0x81_0c00, 175]),
        table(&[0x81_0c00]),
    ];
    spoiled
        .map(|ovmf| (ovmf, "measure.snp.kernel_hashes"))
        .to_vec()
}

fn other_faults() -> Vec<Fault> {
    let mut doubled = Ovmf::sound();
    doubled.entries.push(doubled.entries[0].clone());
    let no_reset = Ovmf::sound().with(SEV_ES_RESET_BLOCK, words(&[0]));
    let unknown = Ovmf::sound().with_sections(&[[0x80_0000, 0x1000, 5]]);
    vec![
        (doubled, "measure.firmware.table"),
        (
            Ovmf::sound().without(SEV_METADATA),
            "measure.snp.metadata_absent",
        ),
        (unknown, "measure.snp.section_type"),
        (
            Ovmf::sound().without(SEV_ES_RESET_BLOCK),
            "measure.snp.reset_block",
        ),
        (no_reset, "measure.snp.reset_block"),
    ]
}

#[test]
fn a_spoiled_image_is_refused() {
    let faults = [
        metadata_faults(),
        section_faults(),
        boot_faults(),
        other_faults(),
    ]
    .concat();
    for (i, (ovmf, code)) in faults.iter().enumerate() {
        let firmware = ovmf.build();
        let guest = Guest {
            vcpus: 2,
            boot: Some(BootDigests::of(b"k", b"i", "c")),
            ..guest(&firmware)
        };
        let error = launch_digest(&guest).unwrap_err();
        assert_eq!(error.code(), *code, "fault {i}");
    }
}

#[test]
fn what_no_image_is_is_refused() {
    let sound = Ovmf::sound().build();
    let code = |firmware: &[u8]| launch_digest(&guest(firmware)).unwrap_err().code();
    for bytes in [0, 1, 4095, 4097, 33 * 1024 * 1024] {
        assert_eq!(code(&vec![0; bytes]), "measure.firmware.size");
    }
    assert_eq!(code(&[0; 4096]), "measure.firmware.footer");
    let mut other_guid = sound.clone();
    let footer_guid = sound.len() - 48;
    other_guid[footer_guid] ^= 1;
    assert_eq!(code(&other_guid), "measure.firmware.footer");
    for length in [17_u16, 0xffff] {
        let mut other_length = sound.clone();
        other_length[footer_guid - 2..footer_guid].copy_from_slice(&length.to_le_bytes());
        assert_eq!(code(&other_length), "measure.firmware.footer");
    }
    for length in [19_u16, 18 + 5] {
        let mut other_length = sound.clone();
        other_length[footer_guid - 2..footer_guid].copy_from_slice(&length.to_le_bytes());
        assert_eq!(code(&other_length), "measure.firmware.table");
    }
}

#[test]
fn what_no_guest_is_is_refused() {
    let firmware = Ovmf::sound().build();
    for vcpus in [0, 4097] {
        let error = launch_digest(&Guest {
            vcpus,
            ..guest(&firmware)
        });
        assert_eq!(error, Err(MeasureError::SnpVcpus(vcpus)));
    }
    let error = launch_digest(&Guest {
        guest_features: 0x20,
        ..guest(&firmware)
    });
    assert_eq!(error, Err(MeasureError::SnpGuestFeatures(0x20)));
    assert_eq!(MeasureError::SnpVcpus(0).class(), ErrorClass::Malformed);
    assert_eq!(MeasureError::SnpResetBlock.class(), ErrorClass::Unsupported);
}

#[test]
fn one_virtual_cpu_needs_no_reset_block() {
    let firmware = Ovmf::sound().without(SEV_ES_RESET_BLOCK).build();
    assert!(launch_digest(&guest(&firmware)).is_ok());
}

/// As in crate `sev`'s test `id-block`, of its keys in `tests/measurement`.
#[test]
fn id_blocks_and_key_digests_are_those_of_crate_sev() {
    let block = IdBlock {
        launch_digest: array(
            "a14d638341e5674628fe1e02fbedebe5e5ab4faf1dd72d8966068e615bb99efd13d214b35c231715b38e263dc6059745",
        ),
        family_id: [0; 16],
        image_id: [0; 16],
        guest_svn: 0,
        guest_policy: 0x30000,
    };
    let expected = "a14d638341e5674628fe1e02fbedebe5e5ab4faf1dd72d8966068e615bb99efd13d214b35c231715b38e263dc6059745\
        0000000000000000000000000000000000000000000000000000000000000000\
        01000000000000000000030000000000";
    assert_eq!(hex::encode(block.to_bytes()), expected);

    let id_key = key_digest(
        &array(
            "f6763e4d2609cf1b2cf22f2cc8b8ca4cf55d470c3c23552c93b168874390dd95cb3fdee847ddf79ff29efbb8803c6d1f",
        ),
        &array(
            "ccd7a8d047b9cdc1c750b1190abe6d1dad37a8decb14327b766619f712607cfd0d38853c50da9bcd080b35389c93be3e",
        ),
    );
    let expected = "59fb2c686dfa4fef49f38339aa775c90051c28d57383ddc3baf3b5eb4b1496df3b0dbbdcbae5fe27677a644820773fe2";
    assert_eq!(hex::encode(id_key), expected);
}

fn array(text: &str) -> [u8; 48] {
    hex::decode(text).unwrap().try_into().unwrap()
}
