//! The table `[snp]` of schema 1.

use super::{
    PolicyError,
    mistakes::Mistakes,
    reader::{Field, Section},
    reference_values,
    schema::{allow_list, optional},
};
use crate::{
    AllowList,
    bit_rule::BIT_RULES,
    snp::{
        GuestPolicyBit, GuestPolicyRules, PRODUCTS, PlatformInfoBit, PlatformInfoRules,
        REVOCATION_RULES, SIGNING_KEYS, SnpRules, TcbFloor, name_of,
        platform_info::PLATFORM_INFO_BITS,
    },
};
use attestation::snp::{Product, SigningKey, TcbVersion};

pub(super) fn read(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<SnpRules> {
    let mut snp = field.section(mistakes)?;
    let products = snp.read("products", mistakes, products);
    let minimum_report_version =
        snp.read("minimum_report_version", mistakes, minimum_report_version);
    let vmpl = snp.read("vmpl", mistakes, vmpl);
    let signing_keys = snp.read("signing_keys", mistakes, signing_keys);
    let revocation = optional(&mut snp, "revocation", mistakes, |field, m| {
        field.named(&REVOCATION_RULES, m)
    });
    let measurements = snp.read("measurements", mistakes, reference_values::digests);
    let minimum_tcb = minimum_tcb(&mut snp, products.as_ref(), mistakes);
    let guest_policy = snp.read("guest_policy", mistakes, guest_policy);
    let platform_info = platform_info(&mut snp, mistakes);
    snp.close(mistakes);
    Some(SnpRules {
        products: products?,
        minimum_report_version: minimum_report_version?,
        vmpl: vmpl?,
        signing_keys: signing_keys?,
        revocation: revocation?.unwrap_or_default(),
        measurements: measurements?,
        minimum_tcb: minimum_tcb?,
        guest_policy: guest_policy?,
        platform_info: platform_info?,
    })
}

fn products(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<AllowList<Product>> {
    let product = |field: Field<'_>, m: &mut Mistakes<'_>| field.named(&PRODUCTS, m);
    allow_list(field, mistakes, product, Product::eq)
}

fn minimum_report_version(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<u32> {
    u32::try_from(field.integer(2..=5, mistakes)?).ok()
}

fn vmpl(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<AllowList<u32>> {
    let level =
        |field: Field<'_>, m: &mut Mistakes<'_>| u32::try_from(field.integer(0..=3, m)?).ok();
    allow_list(field, mistakes, level, u32::eq)
}

fn signing_keys(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<AllowList<SigningKey>> {
    let key = |field: Field<'_>, m: &mut Mistakes<'_>| field.named(&SIGNING_KEYS, m);
    allow_list(field, mistakes, key, SigningKey::eq)
}

/// `[[snp.minimum_tcb]]`: one for each product, none for another.
fn minimum_tcb(
    snp: &mut Section<'_>,
    products: Option<&AllowList<Product>>,
    mistakes: &mut Mistakes<'_>,
) -> Option<AllowList<TcbFloor>> {
    let field = snp.required("minimum_tcb", mistakes)?;
    let (offset, path) = (field.at, field.path.clone());
    let floors = allow_list(field, mistakes, tcb_floor, |a, b| a.product == b.product)?;
    let products = products?;
    for product in products.iter() {
        if !floors.iter().any(|floor| floor.product == *product) {
            let field = format!("{path} for {:?}", name_of(&PRODUCTS, product));
            mistakes.note(offset, |at| PolicyError::MissingField { at, field });
        }
    }
    if floors
        .iter()
        .any(|floor| !products.contains(&floor.product))
    {
        let other = "`snp.products`, which does not name its product";
        mistakes.note(offset, |at| PolicyError::Conflict {
            at,
            field: path,
            other,
        });
    }
    Some(floors)
}

fn tcb_floor(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<TcbFloor> {
    let mut section = field.section(mistakes)?;
    let product = section.read("product", mistakes, |field, m| field.named(&PRODUCTS, m));
    let fmc = fmc(&mut section, product, mistakes);
    let mut svn = |name| section.read(name, mistakes, Field::byte);
    let (bootloader, tee, snp, microcode) =
        (svn("bootloader"), svn("tee"), svn("snp"), svn("microcode"));
    section.close(mistakes);
    Some(TcbFloor {
        product: product?,
        floor: TcbVersion {
            fmc,
            bootloader: bootloader?,
            tee: tee?,
            snp: snp?,
            microcode: microcode?,
        },
    })
}

/// `fmc` is required for Turin; on another product it stays behind as an unknown field.
fn fmc(
    section: &mut Section<'_>,
    product: Option<Product>,
    mistakes: &mut Mistakes<'_>,
) -> Option<u8> {
    match product {
        Some(Product::Turin) => section.read("fmc", mistakes, Field::byte),
        _ => None,
    }
}

/// `[snp.guest_policy]`: every flag must be spoken about.
fn guest_policy(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<GuestPolicyRules> {
    let mut section = field.section(mistakes)?;
    let rules = GuestPolicyBit::ALL
        .map(|bit| section.read(bit.name(), mistakes, |field, m| field.named(&BIT_RULES, m)));
    section.close(mistakes);
    let rules: Option<Vec<_>> = rules.into_iter().collect();
    rules?.try_into().ok().map(GuestPolicyRules)
}

/// `[snp.platform_info]`: optional, and so is each of its lists, but not both.
fn platform_info(snp: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<PlatformInfoRules> {
    let Some(field) = snp.optional("platform_info") else {
        return Some(PlatformInfoRules::default());
    };
    let (offset, path) = (field.at, field.path.clone());
    let mut section = field.section(mistakes)?;
    let required = flags(&mut section, "required", mistakes);
    let forbidden = flags(&mut section, "forbidden", mistakes);
    section.close(mistakes);
    if required.iter().any(|bit| forbidden.contains(bit)) {
        let other = "itself: a flag is both required and forbidden";
        mistakes.note(offset, |at| PolicyError::Conflict {
            at,
            field: path,
            other,
        });
    }
    Some(PlatformInfoRules {
        required,
        forbidden,
    })
}

fn flags(
    section: &mut Section<'_>,
    name: &str,
    mistakes: &mut Mistakes<'_>,
) -> Vec<PlatformInfoBit> {
    let bits = section.optional(name).and_then(|field| {
        let read = |f: Field<'_>, m: &mut Mistakes<'_>| f.named(&PLATFORM_INFO_BITS, m);
        allow_list(field, mistakes, read, PlatformInfoBit::eq)
    });
    bits.map_or_else(Vec::new, |bits| bits.iter().copied().collect())
}
