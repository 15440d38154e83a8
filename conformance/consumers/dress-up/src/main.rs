// Installs an envelope with Dress-Up on a device in memory: ENVELOPE BLOCK DIGEST VENDOR CLASS SLOT URI=FILE...
// Signatures are for the caller: the COSE message and the digest that it covers are written to the files BLOCK and DIGEST.
// Prints what each component has in the end, as hex. Exit code 1: the parser refuses the envelope.

use dress_up::{component::Component, error::Error, OperatingHooks, SuitManifest};
use std::{cell::RefCell, collections::BTreeMap, env, fs, process::exit};
use uuid::Uuid;

struct Device {
    vendor: Uuid,
    class: Uuid,
    slot: u64,
    payloads: BTreeMap<String, Vec<u8>>,
    components: RefCell<BTreeMap<String, Vec<u8>>>,
}

fn name(component: &Component) -> String {
    format!("{component:?}")
}

impl OperatingHooks for Device {
    type ReadWriteBufferSize = generic_array::typenum::U64;

    fn match_vendor_id(&self, id: Uuid, _: &Component) -> Result<bool, Error> {
        Ok(id == self.vendor)
    }

    fn match_class_id(&self, id: Uuid, _: &Component) -> Result<bool, Error> {
        Ok(id == self.class)
    }

    fn match_component_slot(&self, _: &Component, slot: u64) -> Result<bool, Error> {
        Ok(slot == self.slot)
    }

    fn component_read(&self, component: &Component, _: Option<u64>, offset: usize, bytes: &mut [u8]) -> Result<(), Error> {
        let all = self.components.borrow();
        let content = all.get(&name(component)).ok_or(Error::CapacityError)?;
        bytes.copy_from_slice(content.get(offset..offset + bytes.len()).ok_or(Error::CapacityError)?);
        Ok(())
    }

    fn component_write(&self, component: &Component, _: Option<u64>, _: usize, bytes: &[u8]) -> Result<(), Error> {
        self.components.borrow_mut().insert(name(component), bytes.to_vec());
        Ok(())
    }

    fn component_size(&self, component: &Component) -> Result<usize, Error> {
        Ok(self.components.borrow().get(&name(component)).map_or(0, Vec::len))
    }

    fn component_capacity(&self, _: &Component) -> Result<usize, Error> {
        Ok(1 << 20)
    }

    fn fetch(&self, component: &Component, _: Option<u64>, uri: &str) -> Result<(), Error> {
        let content = self.payloads.get(uri).ok_or(Error::CapacityError)?;
        self.components.borrow_mut().insert(name(component), content.clone());
        Ok(())
    }
}

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    let envelope = fs::read(&args[0]).expect("the envelope");
    let payloads = args[6..].iter().map(|one| {
        let (uri, file) = one.rsplit_once('=').expect("URI=FILE");
        (uri.to_string(), fs::read(file).expect("a payload"))
    });
    let device = Device {
        vendor: Uuid::parse_str(&args[3]).expect("a vendor"),
        class: Uuid::parse_str(&args[4]).expect("a class"),
        slot: args[5].parse().expect("a slot"),
        payloads: payloads.collect(),
        components: RefCell::default(),
    };
    let authenticated = SuitManifest::from_bytes(&envelope).authenticate(|block, digest| {
        fs::write(&args[1], block).expect("BLOCK");
        fs::write(&args[2], digest).expect("DIGEST");
        Ok(true)
    });
    let result = authenticated.and_then(|suit| suit.envelope()?.manifest()?.execute_full(&device));
    for content in device.components.borrow().values() {
        println!("{}", content.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    }
    if let Err(error) = result {
        eprintln!("{error:?}");
        exit(1);
    }
}
