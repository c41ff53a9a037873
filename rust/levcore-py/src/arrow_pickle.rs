//! Arrow columns as plain values that pickle knows: types by their letters of the C interface, buffers as bytes.

use arrow_array::{ArrayRef, make_array};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow_data::ArrayData;
use arrow_schema::ffi::{FFI_ArrowSchema, Flags};
use arrow_schema::{ArrowError, DataType, Field};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

/// Name, letters, flags, types inside of it, and that of its dictionary.
#[derive(FromPyObject, IntoPyObject)]
pub(crate) struct PackedType(String, String, i64, Vec<PackedType>, Vec<PackedType>);

impl PackedType {
    /// The type of a column, or of what lies inside of one.
    pub(crate) fn of(field: &Field) -> Result<Self, ArrowError> {
        Ok(Self::packed(&FFI_ArrowSchema::try_from(field)?))
    }

    fn packed(schema: &FFI_ArrowSchema) -> Self {
        let flags = schema.flags().map_or(0, |flags| flags.bits());
        Self(
            schema.name().unwrap_or_default().to_owned(),
            schema.format().to_owned(),
            flags,
            schema.children().map(Self::packed).collect(),
            schema.dictionary().map(Self::packed).into_iter().collect(),
        )
    }

    /// The field of a packed type.
    pub(crate) fn field(&self) -> Result<Field, ArrowError> {
        Field::try_from(&self.schema()?)
    }

    fn schema(&self) -> Result<FFI_ArrowSchema, ArrowError> {
        let Self(name, format, flags, children, dictionary) = self;
        let children = children.iter().map(Self::schema).collect::<Result<Vec<_>, _>>()?;
        let dictionary = dictionary.first().map(Self::schema).transpose()?;
        FFI_ArrowSchema::try_new(format, children, dictionary)?
            .with_name(name)?
            .with_flags(Flags::from_bits_truncate(*flags))
    }
}

/// Bytes of a buffer.
type Bytes = PyBackedBytes;

/// Length, offset, validity (bits, their offset) where there are nulls, buffers, arrays inside of it.
#[derive(FromPyObject, IntoPyObject)]
pub(crate) struct PackedArray(usize, usize, Vec<(Bytes, usize)>, Vec<Bytes>, Vec<PackedArray>);

impl PackedArray {
    /// The content of a column, or of what lies inside of one.
    pub(crate) fn of(py: Python<'_>, data: &ArrayData) -> Self {
        let bytes = |buffer: &Buffer| Bytes::from(PyBytes::new(py, buffer.as_slice()));
        Self(
            data.len(),
            data.offset(),
            data.nulls().map(|nulls| (bytes(nulls.buffer()), nulls.offset())).into_iter().collect(),
            data.buffers().iter().map(bytes).collect(),
            data.child_data().iter().map(|child| Self::of(py, child)).collect(),
        )
    }

    /// The array of this content, checked.
    pub(crate) fn array(&self, kind: &DataType) -> Result<ArrayRef, ArrowError> {
        Ok(make_array(self.data(kind)?))
    }

    fn data(&self, kind: &DataType) -> Result<ArrayData, ArrowError> {
        let Self(length, offset, nulls, buffers, children) = self;
        let inside = children.iter().zip(inner_types(kind)).map(|(child, kind)| child.data(kind));
        let nulls = nulls.first().map(|(bits, offset)| validity(bits.as_ref(), *offset, *length)).transpose()?;
        ArrayData::builder(kind.clone())
            .len(*length)
            .offset(*offset)
            .nulls(nulls)
            .buffers(buffers.iter().map(|bytes| Buffer::from(bytes.as_ref())).collect())
            .child_data(inside.collect::<Result<_, _>>()?)
            .align_buffers(true)
            .build()
    }
}

/// Validity of so many values from a bit on.
fn validity(bits: &[u8], offset: usize, length: usize) -> Result<NullBuffer, ArrowError> {
    let needed = offset.checked_add(length).map(|bits| bits.div_ceil(8));
    if needed.is_none_or(|needed| needed > bits.len()) {
        let found = bits.len().saturating_mul(8);
        return Err(ArrowError::InvalidArgumentError(format!("{length} validity bits from {offset} on, of {found}")));
    }
    Ok(NullBuffer::new(BooleanBuffer::new(Buffer::from(bits), offset, length)))
}

/// Types of the arrays that lie inside of one of this type.
fn inner_types(kind: &DataType) -> Vec<&DataType> {
    match kind {
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::LargeListView(field)
        | DataType::FixedSizeList(field, _)
        | DataType::Map(field, _) => vec![field.data_type()],
        DataType::Struct(fields) => fields.iter().map(|field| field.data_type()).collect(),
        DataType::Union(fields, _) => fields.iter().map(|(_, field)| field.data_type()).collect(),
        DataType::Dictionary(_, values) => vec![values],
        DataType::RunEndEncoded(ends, values) => vec![ends.data_type(), values.data_type()],
        _ => Vec::new(),
    }
}
