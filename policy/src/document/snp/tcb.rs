//! `tcb_fields`, `[[snp.minimum_tcb]]` and `[[snp.advisories]]`.

use super::super::{
    PolicyError,
    mistakes::Mistakes,
    reader::{Field, Section},
    schema::{allow_list, optional},
};
use crate::{
    AllowList,
    snp::{
        FirmwareAdvisory, PRODUCTS, TcbComponent, TcbField, TcbFloor, name_of,
        tcb::{TCB_COMPONENTS, TCB_FIELDS},
    },
};
use attestation::snp::{Product, TcbVersion};

/// `tcb_fields`: REPORTED_TCB and any other.
pub(super) fn fields(
    snp: &mut Section<'_>,
    mistakes: &mut Mistakes<'_>,
) -> Option<AllowList<TcbField>> {
    let Some(field) = snp.optional("tcb_fields") else {
        return AllowList::new(vec![TcbField::Reported]);
    };
    let (offset, path) = (field.at, field.path.clone());
    let one = |field: Field<'_>, m: &mut Mistakes<'_>| field.named(&TCB_FIELDS, m);
    let fields = allow_list(field, mistakes, one, TcbField::eq)?;
    if !fields.contains(&TcbField::Reported) {
        let field = format!("{path} with \"reported\"");
        mistakes.note(offset, |at| PolicyError::MissingField { at, field });
    }
    Some(fields)
}

/// `[[snp.minimum_tcb]]`: one for each product, none for another.
pub(super) fn floors(
    snp: &mut Section<'_>,
    products: Option<&AllowList<Product>>,
    mistakes: &mut Mistakes<'_>,
) -> Option<AllowList<TcbFloor>> {
    let field = snp.required("minimum_tcb", mistakes)?;
    let (offset, path) = (field.at, field.path.clone());
    let floors = allow_list(field, mistakes, floor, |a, b| a.product == b.product)?;
    let products = products?;
    for product in products.iter() {
        if !floors.iter().any(|floor| floor.product == *product) {
            let field = format!("{path} for {:?}", name_of(&PRODUCTS, product));
            mistakes.note(offset, |at| PolicyError::MissingField { at, field });
        }
    }
    let named = floors.iter().map(|floor| floor.product);
    accepted_alone(named, products, (offset, path), mistakes);
    Some(floors)
}

/// Whatever is said of a product that is not accepted is a mistake.
fn accepted_alone(
    mut named: impl Iterator<Item = Product>,
    products: &AllowList<Product>,
    (offset, field): (usize, String),
    mistakes: &mut Mistakes<'_>,
) {
    if named.any(|product| !products.contains(&product)) {
        let other = "`snp.products`, which does not name its product";
        mistakes.note(offset, |at| PolicyError::Conflict { at, field, other });
    }
}

fn floor(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<TcbFloor> {
    let mut section = field.section(mistakes)?;
    let product = section.read("product", mistakes, product);
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

fn product(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<Product> {
    field.named(&PRODUCTS, mistakes)
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

/// `[[snp.advisories]]`: for accepted products, one for each component that an advisory names.
pub(super) fn advisories(
    snp: &mut Section<'_>,
    products: Option<&AllowList<Product>>,
    mistakes: &mut Mistakes<'_>,
) -> Option<Option<AllowList<FirmwareAdvisory>>> {
    let Some(field) = snp.optional("advisories") else {
        return Some(None);
    };
    let (offset, path) = (field.at, field.path.clone());
    let same = |a: &FirmwareAdvisory, b: &FirmwareAdvisory| {
        (&a.name, a.product, a.component) == (&b.name, b.product, b.component)
    };
    let advisories = allow_list(field, mistakes, advisory, same)?;
    let named = advisories.iter().map(|advisory| advisory.product);
    accepted_alone(named, products?, (offset, path), mistakes);
    Some(Some(advisories))
}

fn advisory(field: Field<'_>, mistakes: &mut Mistakes<'_>) -> Option<FirmwareAdvisory> {
    let at = mistakes.position(field.at);
    let mut section = field.section(mistakes)?;
    let name = section.read("name", mistakes, Field::text);
    let product = section.read("product", mistakes, product);
    let component = component(&mut section, product, mistakes);
    let minimum = section.read("minimum", mistakes, |field, m| {
        u8::try_from(field.integer(1..=u64::from(u8::MAX), m)?).ok()
    });
    let from = optional(&mut section, "from", mistakes, Field::time);
    let link = optional(&mut section, "link", mistakes, Field::text);
    section.close(mistakes);
    Some(FirmwareAdvisory {
        name: name?,
        product: product?,
        component: component?,
        minimum: minimum?,
        from: from?,
        link: link?,
        at,
    })
}

/// `component`; only Turin has an FMC.
fn component(
    section: &mut Section<'_>,
    product: Option<Product>,
    mistakes: &mut Mistakes<'_>,
) -> Option<TcbComponent> {
    let field = section.required("component", mistakes)?;
    let (offset, path) = (field.at, field.path.clone());
    let component = field.named(&TCB_COMPONENTS, mistakes)?;
    if component == TcbComponent::Fmc && product.is_some_and(|it| it != Product::Turin) {
        mistakes.note(offset, |at| PolicyError::Conflict {
            at,
            field: path,
            other: "`product`, which has no FMC",
        });
    }
    Some(component)
}
