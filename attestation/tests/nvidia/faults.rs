//! One fault per line: what is wrong, the code that must tell it, how it is made wrong.

use crate::{
    references::Status,
    vendor::{Draft, FWID, Issued, KEYS, TCB_INFO, device_id, name, tcb_info},
};
use attestation::UnixTime;
use tee_sim::x509::{Extension, KeyUsage, oids};

type Fault<T> = (&'static str, &'static str, fn(&mut T));

/// Faults of a GPU that are then signed like the truth.
pub(crate) const BEFORE_SIGNING: &[Fault<Draft>] = &[
    ("request version", "nvidia.report.request", |d| {
        d.report.request[0] = 0x12
    }),
    ("request code", "nvidia.report.request", |d| {
        d.report.request[1] = 0xE1
    }),
    ("no signature asked for", "nvidia.report.request", |d| {
        d.report.request[2] = 0
    }),
    ("one block asked for", "nvidia.report.request", |d| {
        d.report.request[3] = 1
    }),
    ("slot 8", "nvidia.report.request", |d| d.report.slot = 8),
    ("response version", "nvidia.report.response", |d| {
        d.report.response[0] = 0x10
    }),
    ("an error as response", "nvidia.report.response", |d| {
        d.report.response[1] = 0x7F
    }),
    ("Param1 of the response", "nvidia.report.response", |d| {
        d.report.response[2] = 1
    }),
    ("another slot's key", "nvidia.report.response", |d| {
        d.report.response[3] = 1
    }),
    ("no blocks", "nvidia.report.measurements", |d| {
        d.report.blocks.clear()
    }),
    (
        "fewer blocks than told",
        "nvidia.report.measurements",
        |d| {
            d.report.number_of_blocks = Some(65);
        },
    ),
    ("more blocks than told", "nvidia.report.measurements", |d| {
        d.report.number_of_blocks = Some(63);
    }),
    ("a doubled block", "nvidia.report.measurements", |d| {
        d.report.blocks[1].index = 1
    }),
    ("block 0", "nvidia.report.measurements", |d| {
        d.report.blocks[0].index = 0
    }),
    (
        "a block of another format",
        "nvidia.report.measurements",
        |d| {
            d.report.blocks[0].specification = 2;
        },
    ),
    (
        "a block longer than its value",
        "nvidia.report.measurements",
        |d| {
            d.report.blocks[0].rest = vec![0];
        },
    ),
    ("a doubled opaque field", "nvidia.report.opaque", |d| {
        let field = d.report.opaque[0].clone();
        d.report.opaque.push(field);
    }),
    ("more than 1024 opaque bytes", "nvidia.report.opaque", |d| {
        *d.report.field(0x7FFF) = vec![0; 1024];
    }),
    (
        "opaque data of version 2",
        "nvidia.report.opaque_version",
        |d| {
            *d.report.field(34) = vec![2, 0];
        },
    ),
    ("an unknown feature", "nvidia.report.fields", |d| {
        *d.report.field(36) = vec![3, 0]
    }),
    ("an unknown NVDEC0 status", "nvidia.report.fields", |d| {
        *d.report.field(11) = vec![0]
    }),
    ("a short firmware digest", "nvidia.report.fields", |d| {
        d.report.field(20).pop();
    }),
    (
        "a firmware digest of another form",
        "nvidia.chain.extensions",
        |d| {
            d.chain[0].extension(FWID).value = device_id([0xF1; 48])[2..].to_vec();
        },
    ),
    ("two firmware digests", "nvidia.chain.extensions", |d| {
        d.chain[0].extension(TCB_INFO).value = tcb_info([0xF1; 48]);
    }),
    ("another issuer", "nvidia.chain.issuer", |d| {
        d.chain[2].issuer = name("Other")
    }),
    (
        "the ROM's certificate is no authority",
        "nvidia.chain.constraints",
        |d| {
            d.chain[1].extensions = vec![Extension::key_usage(KeyUsage(0x80))];
        },
    ),
    (
        "the ROM's key may not sign certificates",
        "nvidia.chain.constraints",
        |d| {
            d.chain[1].extension(oids::KEY_USAGE).value = vec![3, 2, 7, 0x80];
        },
    ),
    (
        "an authority as attestation key",
        "nvidia.chain.constraints",
        |d| {
            d.chain[0].extensions.push(Extension::authority(None));
        },
    ),
    (
        "an unknown critical extension",
        "nvidia.chain.constraints",
        |d| {
            d.chain[0].extension(FWID).critical = true;
        },
    ),
    ("a P-256 attestation key", "nvidia.chain.algorithm", |d| {
        d.chain[0].public_key = KEYS.p256.public_key_info();
    }),
    ("valid from tomorrow", "nvidia.chain.not_yet_valid", |d| {
        d.chain[1].validity.not_before = at("2026-06-02T00:00:00Z");
    }),
    ("valid until yesterday", "nvidia.chain.expired", |d| {
        d.chain[1].validity.not_after = at("2026-05-31T00:00:00Z");
    }),
    ("a chip that is not known", "nvidia.chip.known", |d| {
        d.chain[0].subject = name("GR100 A01 GSP FMC LF");
    }),
    (
        "a chip's name that only begins like a known one",
        "nvidia.chip.known",
        |d| {
            d.chain[0].subject = name("GH100X A01 GSP FMC LF");
        },
    ),
    ("an all-zero device identifier", "nvidia.serial", |d| {
        d.chain[1].serial = vec![0x41, 0, 0, 0, 0, 0, 0, 0, 0];
    }),
    ("a serial number too short", "nvidia.serial", |d| {
        d.chain[1].serial = vec![7; 7]
    }),
    ("the report of another chip", "nvidia.chip", |d| {
        *d.report.field(35) = b"GB100\0".to_vec()
    }),
    ("another firmware digest", "nvidia.fwid", |d| {
        *d.report.field(20) = vec![0xF2; 48]
    }),
    (
        "a certificate without firmware digest",
        "nvidia.fwid",
        |d| d.chain[0].without(FWID),
    ),
    ("another nonce", "nvidia.nonce", |d| d.report.nonce[31] ^= 1),
    ("no driver version", "nvidia.report.complete", |d| {
        d.report.without(3)
    }),
    ("no VBIOS version", "nvidia.report.complete", |d| {
        d.report.without(6)
    }),
    ("two manifests for one driver", "nvidia.rim.doubled", |d| {
        d.rims.push(d.rims[0].clone())
    }),
    (
        "a manifest with no measurement",
        "nvidia.rim.measurements",
        |d| {
            d.rims[0].measurements.clear();
        },
    ),
    (
        "a manifest's signer that may not sign",
        "nvidia.rim.chain.constraints",
        |d| {
            d.signer.extensions = vec![Extension::key_usage(KeyUsage(0x20))];
        },
    ),
    ("a revoked device", "nvidia.ocsp.revoked", |d| {
        status(d, 0, Status::Revoked)
    }),
    ("a revoked provisioner", "nvidia.ocsp.revoked", |d| {
        status(d, 1, Status::Revoked)
    }),
    ("a generation on hold", "nvidia.ocsp.hold", |d| {
        status(d, 2, Status::OnHold)
    }),
    ("a manifest's signer on hold", "nvidia.ocsp.hold", |d| {
        status(d, 3, Status::OnHold)
    }),
    (
        "a device that the responder does not know",
        "nvidia.ocsp.unknown",
        |d| {
            status(d, 0, Status::Unknown);
        },
    ),
    ("a response of the day before", "nvidia.ocsp.window", |d| {
        let response = d.responses[0].as_mut().unwrap();
        (response.this_update, response.next_update) = ("20260530000000Z", "20260531000000Z");
    }),
    (
        "a measurement in both manifests",
        "nvidia.measurements.conflict",
        |d| {
            d.rims[1].measurements.push((20, vec![[21; 48]]));
        },
    ),
    (
        "another value of the driver's",
        "nvidia.measurements.driver",
        |d| {
            d.report.blocks[30].value[47] ^= 1;
        },
    ),
    (
        "another value of the VBIOS's",
        "nvidia.measurements.vbios",
        |d| {
            d.report.blocks[12].value[0] ^= 1;
        },
    ),
    ("a value that is longer", "nvidia.measurements.vbios", |d| {
        d.report.blocks[3].value.push(0);
    }),
    (
        "bits where the manifest has a digest",
        "nvidia.measurements.vbios",
        |d| {
            d.report.blocks[3].value_type = 0x81;
        },
    ),
    (
        "a measurement that is not in the report",
        "nvidia.measurements.vbios",
        |d| {
            d.report.blocks.remove(3);
        },
    ),
    (
        "a manifest for a measurement that is in no report",
        "nvidia.measurements.driver",
        |d| {
            d.rims[0].measurements.push((255, vec![[0; 48]]));
        },
    ),
    (
        "measurement 35 with NVDEC0 enabled",
        "nvidia.measurements.driver",
        |d| {
            d.report.blocks[35].value[0] ^= 1;
        },
    ),
    (
        "measurement 34 with NVDEC0 disabled",
        "nvidia.measurements.driver",
        |d| {
            *d.report.field(11) = vec![0x55];
            d.report.blocks[34].value[0] ^= 1;
        },
    ),
    ("no driver manifest", "nvidia.complete", |d| {
        d.rims.remove(0);
    }),
    ("a manifest for another version", "nvidia.complete", |d| {
        d.rims[1].version = "96.00.9F.00.02"
    }),
    ("a manifest for another chip", "nvidia.complete", |d| {
        d.rims[0].product = "GB100"
    }),
    ("a switch's manifest for a GPU", "nvidia.complete", |d| {
        d.rims[1].edition = "SWITCH"
    }),
    ("no response about the device", "nvidia.complete", |d| {
        d.responses[0] = None
    }),
    (
        "no response about the manifests' signer",
        "nvidia.complete",
        |d| d.responses[3] = None,
    ),
];

/// Faults of what was signed.
pub(crate) const AFTER_SIGNING: &[Fault<Issued>] = &[
    ("an empty report", "nvidia.report.size", |i| {
        i.report.clear()
    }),
    ("a report cut off", "nvidia.report.size", |i| {
        i.report.pop();
    }),
    ("a byte after the signature", "nvidia.report.size", |i| {
        i.report.push(0)
    }),
    ("a report of 1 MB", "nvidia.report.size", |i| {
        i.report.resize(1 << 20, 0)
    }),
    ("no chain", "nvidia.chain.length", |i| i.chain.clear()),
    ("a chain without provisioner", "nvidia.chain.length", |i| {
        i.chain.remove(2);
    }),
    (
        "a chain without attestation key",
        "nvidia.chain.length",
        |i| {
            i.chain.remove(0);
        },
    ),
    ("a certificate twice", "nvidia.chain.length", |i| {
        i.chain.push(i.chain[3].clone())
    }),
    ("no certificate", "nvidia.chain.format", |i| {
        i.chain[1] = b"0".to_vec()
    }),
    (
        "a certificate with a byte after it",
        "nvidia.chain.format",
        |i| i.chain[1].push(0),
    ),
    ("the chain upside down", "nvidia.chain.issuer", |i| {
        i.chain.reverse()
    }),
    (
        "a certificate's signature",
        "nvidia.chain.signature",
        flip_last_bit_of_rom,
    ),
    ("the report's signature", "nvidia.signature", |i| {
        *i.report.last_mut().unwrap() ^= 1
    }),
    ("no manifest", "nvidia.rim.xml", |i| {
        i.references.rims[0] = b"<".to_vec()
    }),
    ("a manifest changed", "nvidia.rim.digest", |i| {
        let text = String::from_utf8(i.references.rims[0].clone()).unwrap();
        i.references.rims[0] = text
            .replace("Measurement_21", "Measurement_XX")
            .into_bytes();
    }),
    ("no OCSP response", "nvidia.ocsp.format", |i| {
        i.references.ocsp[0] = vec![0x30, 0]
    }),
    (
        "an OCSP response's signature",
        "nvidia.ocsp.signature",
        |i| {
            *i.references.ocsp[0].last_mut().unwrap() ^= 1;
        },
    ),
    ("responses of yesterday", "nvidia.ocsp.window", |i| {
        i.now = at("2026-06-02T00:00:01Z")
    }),
    ("no references", "nvidia.complete", |i| {
        i.references = Default::default()
    }),
];

fn status(draft: &mut Draft, about: usize, status: Status) {
    draft.responses[about].as_mut().unwrap().status = status;
}

fn flip_last_bit_of_rom(issued: &mut Issued) {
    *issued.chain[1].last_mut().unwrap() ^= 1;
}

fn at(text: &str) -> UnixTime {
    UnixTime::from_rfc3339(text).unwrap()
}
