//! MRTD and RTMRs: real TDVF metadata, a public image description against its quote, and every way in which an image can be wrong.

#![allow(
    clippy::print_stderr,
    reason = "a test may fail, and tells when it had nothing to look at"
)]

use crate::ovmf::{Ovmf, words};
use crate::support;
use attestation::{
    crypto::sha384,
    measure::{
        MeasureError,
        tdx::{DirectBoot, PageOrder, authenticode_sha384, mrtd, rtmr},
    },
};
use base64::{Engine, engine::general_purpose::STANDARD};
use ciborium::Value as Cbor;
use serde_json::Value;
use std::fs;

const TDX_METADATA: &str = "e47a6535-984a-4798-865e-4685a7bf8ec2";

/// An image of 4 MiB that ends as an OVMF build does; before its last page the byte at `i` is `7 i + i / 256`.
fn built(name: &str) -> Vec<u8> {
    let folder = support::sev_package().join("tests/measurement");
    let end = fs::read(folder.join(format!("ovmf_{name}_suffix.bin"))).unwrap();
    let before = 4 * 1024 * 1024 - end.len();
    let mut image: Vec<u8> = (0..before).map(|i| (i * 7 + i / 256) as u8).collect();
    image.extend(end);
    image
}

/// By Python's hashlib, from the specification.
#[test]
fn mrtd_of_images_with_real_metadata() {
    for (name, order, expected) in [
        (
            "AmdSev",
            PageOrder::OnePass,
            "60c48d7e4d27f18af4d1d0bc051aa88f0acad3fddd06e760d786f14fbc69e42eeb37d25a0a1fdc660b5611ffdcb5f373",
        ),
        (
            "AmdSev",
            PageOrder::TwoPass,
            "6c18022144f3e0f8ca832f467bf810698f484060544f659e93f448084b61bd4421a489b28f5870444049e7a87de8886a",
        ),
        (
            "OvmfX64",
            PageOrder::OnePass,
            "aac643ef49e84b81fa8fe312038df455f44beb4bc753f9543f51cf7346a86cf345062f42e6a4c91c6a5850b19eef01c9",
        ),
        (
            "OvmfX64",
            PageOrder::TwoPass,
            "67bf7ad21bebcba7d24bb1a429fc116a5bc3d6fad46040d9e0c16b8f6e2e71c0e14fe304929e85313c3fce6cb8613acf",
        ),
    ] {
        let measured = mrtd(&built(name), order).unwrap();
        assert_eq!(hex::encode(measured.digest), expected, "{name} {order:?}");
        assert_eq!(measured.regions.last().unwrap().digest, measured.digest);
    }
}

#[test]
fn every_region_is_told() {
    let measured = mrtd(&built("OvmfX64"), PageOrder::OnePass).unwrap();
    let told: Vec<_> = measured
        .regions
        .iter()
        .map(|region| (region.kind, region.operation, region.gpa, region.size_bytes))
        .collect();
    assert_eq!(
        told,
        [
            ("BFV", "MEM.PAGE.ADD, MR.EXTEND", 0xffc8_4000, 0x37_c000),
            ("CFV", "MEM.PAGE.ADD", 0xffc0_0000, 0x8_4000),
            ("TempMem", "MEM.PAGE.ADD", 0x81_1000, 0xf000),
            ("TempMem", "MEM.PAGE.ADD", 0x80_b000, 0x2000),
            ("TD_HOB", "MEM.PAGE.ADD", 0x80_9000, 0x2000),
            ("TempMem", "MEM.PAGE.ADD", 0x80_0000, 0x6000),
        ]
    );
}

/// A section of our own: offset and length in the image, address, length, type, attributes.
type Section = (u32, u32, u64, u64, u32, u32);

const SOUND: Section = (0, 0x1000, 0xffff_d000, 0x2000, 0, 1);

fn metadata(sections: &[Section]) -> Vec<u8> {
    let descriptors = sections.iter().flat_map(|section| {
        let (offset, bytes, address, size, section_type, attributes) = *section;
        [
            words(&[offset, bytes]),
            address.to_le_bytes().to_vec(),
            size.to_le_bytes().to_vec(),
            words(&[section_type, attributes]),
        ]
        .concat()
    });
    let count = u32::try_from(sections.len()).unwrap();
    let header = [b"TDVF".to_vec(), words(&[16 + 32 * count, 1, count])].concat();
    header.into_iter().chain(descriptors).collect()
}

/// An image of three pages with this metadata 1024 bytes before its end.
fn image(metadata: &[u8]) -> Vec<u8> {
    let mut image = Ovmf::sound().with(TDX_METADATA, words(&[0x400])).build();
    let start = image.len() - 0x400;
    image[start..start + metadata.len()].copy_from_slice(metadata);
    image
}

fn code(image: &[u8]) -> &'static str {
    mrtd(image, PageOrder::OnePass).unwrap_err().code()
}

/// The definition, for one measured section of two pages of which the second has no data.
#[test]
fn operations_are_hashed_with_their_addresses() {
    let image = image(&metadata(&[SOUND]));
    let operation = |name: &str, gpa: u64| {
        let mut buffer = [0; 128];
        buffer[..name.len()].copy_from_slice(name.as_bytes());
        buffer[16..24].copy_from_slice(&gpa.to_le_bytes());
        buffer
    };
    let content = [&image[..0x1000], &[0; 0x1000]].concat();
    let mut all = Vec::new();
    for page in 0..2_u64 {
        all.extend(operation("MEM.PAGE.ADD", 0xffff_d000 + page * 0x1000));
        for chunk in 0..16_u64 {
            let offset = page * 0x1000 + chunk * 0x100;
            all.extend(operation("MR.EXTEND", 0xffff_d000 + offset));
            all.extend(&content[offset as usize..][..0x100]);
        }
    }
    let measured = mrtd(&image, PageOrder::OnePass).unwrap();
    assert_eq!(measured.digest, sha384(&all));
    let two_pass = mrtd(&image, PageOrder::TwoPass).unwrap();
    assert_ne!(two_pass.digest, measured.digest);
}

#[test]
fn pages_that_come_later_are_not_added() {
    let later = (0, 0, 0x10_0000, 0x1000, 4, 2);
    let with = mrtd(&image(&metadata(&[later])), PageOrder::OnePass).unwrap();
    assert_eq!(with.regions[0].operation, "none");
    assert_eq!(with.digest, sha384(b""));
}

#[test]
fn spoiled_metadata_is_refused() {
    let sound = metadata(&[SOUND]);
    assert!(mrtd(&image(&sound), PageOrder::OnePass).is_ok());
    let with = |at: usize, byte: u8| {
        let mut spoiled = sound.clone();
        spoiled[at] = byte;
        image(&spoiled)
    };
    for (at, byte) in [
        (0, b'X'),
        (4, 47),
        (8, 2),
        (12, 0),
        (12, 2),
        (12, 65),
        (15, 0xff),
    ] {
        assert_eq!(code(&with(at, byte)), "measure.tdx.metadata", "{at}");
    }
    for offset in [0, 8, 0x10_0000] {
        let elsewhere = Ovmf::sound().with(TDX_METADATA, words(&[offset])).build();
        assert_eq!(code(&elsewhere), "measure.tdx.metadata");
    }
    let short = Ovmf::sound().with(TDX_METADATA, vec![0, 4]).build();
    assert_eq!(code(&short), "measure.tdx.metadata");
    assert_eq!(code(&Ovmf::sound().build()), "measure.tdx.metadata_absent");
    assert_eq!(code(&[0; 4096]), "measure.firmware.footer");
}

#[test]
fn spoiled_sections_are_refused() {
    let code_of = |section: Section| code(&image(&metadata(&[section])));
    let (offset, bytes, address, size, section_type, attributes) = SOUND;
    for section in [
        (offset, bytes, address + 1, size, section_type, attributes),
        (offset, bytes, address, size + 1, section_type, attributes),
        (offset, 0x2001, address, size, section_type, attributes),
        (0x2001, bytes, address, size, section_type, attributes),
        (u32::MAX, bytes, address, size, section_type, attributes),
        (offset, 0, address, size, section_type, attributes),
        (
            offset,
            bytes,
            u64::MAX - 0xfff,
            size,
            section_type,
            attributes,
        ),
        (offset, bytes, address, 1 << 40, section_type, attributes),
    ] {
        assert_eq!(code_of(section), "measure.tdx.section", "{section:x?}");
    }
    for (section_type, attributes) in [(8, 0), (u32::MAX, 1), (0, 4), (0, u32::MAX)] {
        let section = (offset, bytes, address, size, section_type, attributes);
        assert_eq!(code_of(section), "measure.tdx.section_type");
    }
    let many = [SOUND, (0, 0, 0, 0xffff_f000, 3, 0)];
    assert_eq!(code(&image(&metadata(&many))), "measure.tdx.section");
}

/// A description of a public image (kernel, command line and initrd by digest) and a quote of a TD started from it.
#[test]
fn registers_of_a_real_quote_follow_from_what_was_started() {
    let Some(folder) = support::vectors() else {
        eprintln!(
            "no package ships a quote with the digests of what was started: nothing to look at"
        );
        return;
    };
    let file = fs::read(folder.join("dstack/tdx/tdx-lite-getquote.json")).unwrap();
    let file: Value = serde_json::from_slice(&file).unwrap();
    let quote = hex::decode(file["quote"].as_str().unwrap()).unwrap();
    let config: Value = serde_json::from_str(file["vm_config"].as_str().unwrap()).unwrap();
    let described = STANDARD
        .decode(config["tdx_measurement"]["measurement"].as_str().unwrap())
        .unwrap();
    let described: Cbor = ciborium::from_reader(described.as_slice()).unwrap();
    let digest = |name: &str| -> [u8; 48] {
        let digest = find(&described, name).unwrap();
        digest.as_bytes().unwrap().as_slice().try_into().unwrap()
    };
    let boot = DirectBoot {
        kernel: digest("kernel_authenticode"),
        load_options: digest("cmdline_sha384"),
        initrd: digest("initrd_sha384"),
    };
    // RTMR0 begins at 376 of a version 4 quote of TD 1.0.
    assert_eq!(boot.rtmr1(), quote[424..472]);
    assert_eq!(boot.rtmr2(), quote[472..520]);
    let of_quote = &quote[184..232];
    assert!(
        ["single_pass", "two_pass"]
            .iter()
            .any(|name| digest(name) == of_quote)
    );
}

fn find<'a>(value: &'a Cbor, name: &str) -> Option<&'a Cbor> {
    value.as_map()?.iter().find_map(|(key, value)| {
        if key.as_text() == Some(name) {
            Some(value)
        } else {
            find(value, name)
        }
    })
}

#[test]
fn a_register_is_a_chain() {
    assert_eq!(rtmr(&[]), [0; 48]);
    let one = sha384(&[[0; 48], [1; 48]].concat());
    assert_eq!(rtmr(&[[1; 48]]), one);
    assert_eq!(rtmr(&[[1; 48], [2; 48]]), sha384(&[one, [2; 48]].concat()));
}

#[test]
fn load_options_are_utf_16() {
    assert_eq!(
        DirectBoot::load_options("a\u{e9}"),
        sha384(b"a\0\xe9\0\0\0")
    );
}

/// A PE32+ image of 0x400 bytes: headers of 0x200, one section of 0x100, 0x80 trailing bytes, a certificate table of 0x80.
fn kernel() -> Vec<u8> {
    let mut image: Vec<u8> = (0..0x400_usize).map(|i| (i * 3) as u8).collect();
    let mut put =
        |offset: usize, bytes: &[u8]| image[offset..offset + bytes.len()].copy_from_slice(bytes);
    put(0, b"MZ");
    put(0x3c, &0x40_u32.to_le_bytes());
    put(0x40, b"PE\0\0");
    put(0x46, &1_u16.to_le_bytes());
    put(0x54, &0xf0_u16.to_le_bytes());
    put(0x58, &0x20b_u16.to_le_bytes());
    put(0x58 + 60, &0x200_u32.to_le_bytes());
    put(0x58 + 108, &16_u32.to_le_bytes());
    put(0x58 + 112 + 32, &words(&[0x380, 0x80]));
    put(0x58 + 0xf0 + 16, &words(&[0x100, 0x200]));
    image
}

#[test]
fn authenticode_leaves_out_checksum_and_certificates() {
    let image = kernel();
    let (check_sum, security) = (0x58 + 64, 0x58 + 112 + 32);
    let counted = [
        &image[..check_sum],
        &image[check_sum + 4..security],
        &image[security + 8..0x380],
    ];
    let digest = authenticode_sha384(&image).unwrap();
    assert_eq!(digest, sha384(&counted.concat()));
    for (offset, counts) in [
        (check_sum, false),
        (0x390, false),
        (0x300, true),
        (0x210, true),
        (0x1f0, true),
    ] {
        let mut changed = image.clone();
        changed[offset] ^= 1;
        assert_eq!(
            authenticode_sha384(&changed).unwrap() != digest,
            counts,
            "{offset:#x}"
        );
    }
}

#[test]
fn what_no_firmware_would_start_is_refused() {
    let sound = kernel();
    let spoiled = |offset: usize, bytes: &[u8]| {
        let mut image = sound.clone();
        image[offset..offset + bytes.len()].copy_from_slice(bytes);
        authenticode_sha384(&image)
    };
    for result in [
        spoiled(0, b"ZM"),
        spoiled(0x3c, &u32::MAX.to_le_bytes()),
        spoiled(0x40, b"NE"),
        spoiled(0x46, &u16::MAX.to_le_bytes()),
        spoiled(0x58, &0x20c_u16.to_le_bytes()),
        spoiled(0x58 + 60, &0x401_u32.to_le_bytes()),
        spoiled(0x58 + 60, &0x10_u32.to_le_bytes()),
        spoiled(0x58 + 112 + 36, &0x401_u32.to_le_bytes()),
        spoiled(0x58 + 112 + 36, &0x200_u32.to_le_bytes()),
        spoiled(0x58 + 0xf0 + 20, &0x301_u32.to_le_bytes()),
        authenticode_sha384(&[]),
        authenticode_sha384(&sound[..0x3e]),
    ] {
        assert!(
            matches!(result, Err(MeasureError::Kernel(_))),
            "{result:x?}"
        );
    }
}
