//! One fault per line: what is wrong, the code that must tell it, how it is made wrong.

use super::{
    der::{integer, pss_sha384, sequence, tlv},
    genuine::{Draft, Issued, NOW},
    pki::{Extension, KEYS, amd, constraints, key_usage, p384_spki, rsa_spki},
};
use crate::UnixTime;

type Fault<T> = (&'static str, &'static str, fn(&mut T));

const PRODUCT_NAME: &str = "1.3.6.1.4.1.3704.1.2";
const BOOT_LOADER: &str = "1.3.6.1.4.1.3704.1.3.1";
const SPL4: &str = "1.3.6.1.4.1.3704.1.3.4";
const HWID: &str = "1.3.6.1.4.1.3704.1.4";
const BASIC_CONSTRAINTS: &str = "2.5.29.19";
const KEY_USAGE: &str = "2.5.29.15";

/// Faults that are then signed like the truth.
pub(super) const BEFORE_SIGNING: &[Fault<Draft>] = &[
    ("report version 1", "snp.report.version", |d| {
        d.report[0] = 1
    }),
    ("report version 6", "snp.report.version", |d| {
        d.report[0] = 6
    }),
    ("report version 2^24 + 5", "snp.report.version", |d| {
        d.report[3] = 1
    }),
    ("reserved at 04Ch", "snp.report.reserved", |d| {
        d.report[0x4F] = 1
    }),
    ("reserved at 18Bh", "snp.report.reserved", |d| {
        d.report[0x18B] = 1
    }),
    ("reserved at 1EBh", "snp.report.reserved", |d| {
        d.report[0x1EB] = 1
    }),
    ("reserved at 1EFh", "snp.report.reserved", |d| {
        d.report[0x1EF] = 1
    }),
    ("reserved at 208h", "snp.report.reserved", |d| {
        d.report[0x208] = 1
    }),
    ("reserved at 29Fh", "snp.report.reserved", |d| {
        d.report[0x29F] = 1
    }),
    ("CPUID fields in version 2", "snp.report.reserved", |d| {
        d.report[0] = 2;
        d.report[0x1F8..0x208].fill(0);
    }),
    (
        "mitigation vectors in version 4",
        "snp.report.reserved",
        |d| d.report[0] = 4,
    ),
    ("guest policy bit 26", "snp.report.policy", |d| {
        d.report[0x0B] = 1 << 2
    }),
    ("guest policy bit 17 clear", "snp.report.policy", |d| {
        d.report[0x0A] = 1
    }),
    ("platform info bit 8", "snp.report.platform_info", |d| {
        d.report[0x41] = 1
    }),
    ("VMPL 4", "snp.report.fields", |d| d.report[0x30] = 4),
    ("signature algorithm 0", "snp.report.fields", |d| {
        d.report[0x34] = 0
    }),
    ("signing key 7: not signed", "snp.report.fields", |d| {
        d.report[0x48] = 7 << 2
    }),
    ("signing key 2: reserved", "snp.report.fields", |d| {
        d.report[0x48] = 2 << 2
    }),
    ("key flags bit 5", "snp.report.fields", |d| {
        d.report[0x48] = 1 << 5
    }),
    ("certificate version 2", "snp.vek.format", |d| {
        d.vek.version = 1
    }),
    ("doubled extension", "snp.vek.format", |d| {
        d.vek.extensions.push(amd(HWID, vec![0xC1; 64]))
    }),
    ("common name VCEK", "snp.vek.extensions", |d| {
        d.vek.subject = "VCEK".into()
    }),
    ("no product name", "snp.vek.extensions", |d| {
        d.vek.without(PRODUCT_NAME)
    }),
    ("no HWID", "snp.vek.extensions", |d| d.vek.without(HWID)),
    ("HWID of 63 bytes", "snp.vek.extensions", |d| {
        d.vek.extension(HWID).value.truncate(63)
    }),
    ("no boot loader SVN", "snp.vek.extensions", |d| {
        d.vek.without(BOOT_LOADER)
    }),
    ("boot loader SVN 256", "snp.vek.extensions", |d| {
        d.vek.extension(BOOT_LOADER).value = tlv(0x02, &[1, 0]);
    }),
    ("a byte after the SVN", "snp.vek.extensions", |d| {
        d.vek.extension(BOOT_LOADER).value.push(0)
    }),
    (
        "intermediate of certificate version 2",
        "snp.chain.format",
        |d| d.ask.version = 1,
    ),
    ("list without nextUpdate", "snp.crl.format", |d| {
        d.crls[0].next_update = None
    }),
    (
        "list with a critical delta indicator",
        "snp.crl.format",
        |d| {
            d.crls[0].extensions.push(Extension {
                oid: "2.5.29.27",
                critical: true,
                value: integer(1),
            });
        },
    ),
    ("family 17h", "snp.report.product", |d| {
        d.report[0x188] = 0x17
    }),
    ("a model of no product", "snp.report.product", |d| {
        d.report[0x189] = 0x50
    }),
    ("product Venice", "snp.vek.product", |d| {
        d.vek.extension(PRODUCT_NAME).value = tlv(0x16, b"Venice");
    }),
    (
        "report of Genoa, certificate of Milan",
        "snp.product",
        |d| d.report[0x189] = 0x11,
    ),
    (
        "signing key VLEK, certificate VCEK",
        "snp.signing_key",
        |d| d.report[0x48] = 1 << 2,
    ),
    ("issuer of another name", "snp.chain.issuer", |d| {
        d.vek.issuer = "SEV-Genoa".into()
    }),
    ("intermediate of another name", "snp.chain.issuer", |d| {
        d.ask.subject = "SEV-Genoa".into()
    }),
    (
        "intermediate for another product",
        "snp.chain.issuer",
        |d| {
            d.vek.issuer = "SEV-Genoa".into();
            d.ask.subject = "SEV-Genoa".into();
        },
    ),
    ("an ASVK issues no VCEK", "snp.chain.issuer", |d| {
        d.vek.issuer = "SEV-VLEK-Milan".into();
        d.ask.subject = "SEV-VLEK-Milan".into();
    }),
    ("intermediate under another root", "snp.chain.issuer", |d| {
        d.ask.issuer = "ARK-Genoa".into()
    }),
    ("intermediate is no CA", "snp.chain.constraints", |d| {
        d.ask.extension(BASIC_CONSTRAINTS).value = sequence(&[]);
    }),
    (
        "intermediate without basic constraints",
        "snp.chain.constraints",
        |d| {
            d.ask.without(BASIC_CONSTRAINTS);
        },
    ),
    (
        "intermediate may not sign certificates",
        "snp.chain.constraints",
        |d| {
            *d.ask.extension(KEY_USAGE) = key_usage(0b0000_0010);
        },
    ),
    (
        "intermediate without key usage",
        "snp.chain.constraints",
        |d| d.ask.without(KEY_USAGE),
    ),
    ("root's path length is 0", "snp.chain.constraints", |d| {
        let value = sequence(&[tlv(0x01, &[0xFF]), integer(0)]);
        *d.ark.extension(BASIC_CONSTRAINTS) = constraints(value);
    }),
    ("VEK is a CA", "snp.chain.constraints", |d| {
        d.vek
            .extensions
            .push(constraints(sequence(&[tlv(0x01, &[0xFF])])));
    }),
    ("VEK may not sign", "snp.chain.constraints", |d| {
        d.vek.extensions.push(key_usage(0b0010_0000))
    }),
    (
        "unknown critical extension in the VEK",
        "snp.chain.constraints",
        |d| {
            d.vek.extensions.push(Extension {
                oid: "1.2.3.4",
                critical: true,
                value: integer(1),
            });
        },
    ),
    (
        "unknown critical extension in the intermediate",
        "snp.chain.constraints",
        |d| {
            d.ask.extensions.push(Extension {
                oid: "2.5.29.30",
                critical: true,
                value: sequence(&[]),
            });
        },
    ),
    ("salt of 32 bytes declared", "snp.chain.algorithm", |d| {
        d.vek.algorithms = [pss_sha384(32), pss_sha384(32)];
    }),
    ("algorithms differ", "snp.chain.algorithm", |d| {
        d.vek.algorithms[0] = pss_sha384(32)
    }),
    (
        "intermediate's algorithms differ",
        "snp.chain.algorithm",
        |d| d.ask.algorithms[1] = pss_sha384(20),
    ),
    ("intermediate of RSA-3072", "snp.chain.algorithm", |d| {
        d.ask.key = rsa_spki(&KEYS.small)
    }),
    ("VEK of P-256", "snp.chain.algorithm", |d| {
        d.vek.key = p384_spki(&KEYS.p256)
    }),
    ("VEK of RSA", "snp.chain.algorithm", |d| {
        d.vek.key = rsa_spki(&KEYS.ask)
    }),
    ("VEK signed by the root's key", "snp.chain.signature", |d| {
        d.signers.vek = &KEYS.ark
    }),
    (
        "intermediate signed by itself",
        "snp.chain.signature",
        |d| d.signers.ask = &KEYS.ask,
    ),
    ("VEK not valid yet", "snp.chain.not_yet_valid", |d| {
        d.vek.not_before = "260601000001Z"
    }),
    (
        "intermediate not valid yet",
        "snp.chain.not_yet_valid",
        |d| d.ask.not_before = "260601000001Z",
    ),
    ("VEK expired", "snp.chain.expired", |d| {
        d.vek.not_after = "260531235959Z"
    }),
    ("intermediate expired", "snp.chain.expired", |d| {
        d.ask.not_after = "260531235959Z"
    }),
    ("root expired", "snp.chain.expired", |d| {
        d.ark.not_after = "260531235959Z"
    }),
    ("list of another root", "snp.crl.issuer", |d| {
        d.crls[0].issuer = "ARK-Genoa".into()
    }),
    (
        "list of a root that may not sign lists",
        "snp.crl.issuer",
        |d| {
            *d.ark.extension(KEY_USAGE) = key_usage(0b0000_0100);
        },
    ),
    ("one list of two of another root", "snp.crl.issuer", |d| {
        d.crls.push(d.crls[0].clone());
        d.crls[1].issuer = "ARK-Genoa".into();
    }),
    (
        "list signed by the intermediate",
        "snp.crl.signature",
        |d| d.signers.crl = &KEYS.ask,
    ),
    ("list out of date", "snp.crl.window", |d| {
        d.crls[0].next_update = Some("260531235959Z")
    }),
    ("list of the future", "snp.crl.window", |d| {
        d.crls[0].this_update = "260601000001Z"
    }),
    ("root revoked", "snp.crl.revoked", |d| {
        d.crls[0].revoked = vec![9, 1]
    }),
    ("intermediate revoked", "snp.crl.revoked", |d| {
        d.crls[0].revoked = vec![2]
    }),
    ("VEK revoked", "snp.crl.revoked", |d| {
        d.crls[0].revoked = vec![3]
    }),
    ("another chip", "snp.vek.hwid", |d| d.report[0x1DF] ^= 1),
    ("masked chip id under a VCEK", "snp.vek.hwid", |d| {
        d.report[0x1A0..0x1E0].fill(0)
    }),
    ("reported boot loader", "snp.vek.tcb", |d| {
        d.report[0x180] = 5
    }),
    ("reported microcode", "snp.vek.tcb", |d| {
        d.report[0x187] = 212
    }),
    ("a reserved SVN in the VEK only", "snp.vek.tcb", |d| {
        d.vek.extensions.push(amd(SPL4, integer(1)))
    }),
    ("a reserved byte in REPORTED_TCB only", "snp.vek.tcb", |d| {
        d.report[0x182] = 1
    }),
    ("signed by another chip's key", "snp.signature", |d| {
        d.signers.report = &KEYS.other_vek
    }),
    ("a reserved byte of CURRENT_TCB", "snp.report.tcb", |d| {
        d.report[0x03A] = 1
    }),
    ("a reserved byte of COMMITTED_TCB", "snp.report.tcb", |d| {
        d.report[0x1E5] = 1
    }),
    ("a reserved byte of LAUNCH_TCB", "snp.report.tcb", |d| {
        d.report[0x1F2] = 1
    }),
    (
        "a reserved byte of REPORTED_TCB and its SVN",
        "snp.report.tcb",
        |d| {
            d.report[0x182] = 1;
            d.vek.extensions.push(amd(SPL4, integer(1)));
        },
    ),
];

/// Faults made on the way.
pub(super) const AFTER_SIGNING: &[Fault<Issued>] = &[
    ("empty report", "snp.report.size", |i| i.report.clear()),
    ("report cut short", "snp.report.size", |i| {
        i.report.truncate(1183)
    }),
    ("a byte after the report", "snp.report.size", |i| {
        i.report.push(0)
    }),
    ("high byte of R", "snp.report.reserved", |i| {
        i.report[0x2D0] = 1
    }),
    ("high byte of S", "snp.report.reserved", |i| {
        i.report[0x32F] = 1
    }),
    (
        "rest of the signature's field",
        "snp.report.reserved",
        |i| i.report[0x49F] = 1,
    ),
    ("empty VEK", "snp.vek.format", |i| i.vek.clear()),
    ("a byte after the VEK", "snp.vek.format", |i| i.vek.push(0)),
    ("VEK larger than any", "snp.vek.format", |i| {
        i.vek.resize(9000, 0)
    }),
    ("a byte after the intermediate", "snp.chain.format", |i| {
        i.chain[0].push(0)
    }),
    ("five certificates", "snp.chain.format", |i| {
        i.chain = vec![i.ask.clone(); 5]
    }),
    ("root is no certificate", "snp.chain.format", |i| {
        i.ark.push(0)
    }),
    ("a byte after the list", "snp.crl.format", |i| {
        i.crls[0].push(0)
    }),
    ("nine lists", "snp.crl.format", |i| {
        i.crls = vec![i.crls[0].clone(); 9]
    }),
    ("doubled intermediate", "snp.chain.issuer", |i| {
        i.chain = vec![i.ask.clone(); 2]
    }),
    ("only the root", "snp.chain.issuer", |i| {
        i.chain = vec![i.ark.clone()]
    }),
    (
        "a stranger beside the intermediate",
        "snp.chain.issuer",
        |i| i.chain.push(i.vek.clone()),
    ),
    ("VEK's signature", "snp.chain.signature", |i| {
        *i.vek.last_mut().unwrap() ^= 1
    }),
    ("intermediate's signature", "snp.chain.signature", |i| {
        *i.chain[0].last_mut().unwrap() ^= 1
    }),
    ("list's signature", "snp.crl.signature", |i| {
        *i.crls[0].last_mut().unwrap() ^= 1
    }),
    ("before everything", "snp.chain.not_yet_valid", |i| {
        i.now = UnixTime(0)
    }),
    ("after everything", "snp.chain.expired", |i| {
        i.now = NOW.plus(30 * 366 * 86_400)
    }),
    ("R", "snp.signature", |i| i.report[0x2A0] ^= 1),
    ("S", "snp.signature", |i| i.report[0x2E8] ^= 1),
    ("R and S are zero", "snp.signature", |i| {
        i.report[0x2A0..].fill(0)
    }),
    ("a signed byte", "snp.signature", |i| i.report[0x90] ^= 1),
];
