//! Places of elements in memory, in words of 32 bits. Buffers have the layout of the host.

use naga::{ArraySize, Handle, Module, Type, TypeInner};

/// Number of words of a value. An array whose length is that of its buffer has none.
pub fn words(module: &Module, inner: &TypeInner) -> usize {
    match *inner {
        TypeInner::Scalar(_) | TypeInner::Atomic(_) => 1,
        TypeInner::Vector { size, .. } => size as usize,
        TypeInner::Array { base, size: ArraySize::Constant(count), stride } => {
            count.get() as usize * array_stride(module, base, stride)
        }
        TypeInner::Struct { ref members, span } => {
            let end = members.len().checked_sub(1).map_or(0, |last| {
                member_offset(module, inner, last) + words(module, &module.types[members[last].ty].inner)
            });
            end.max(span as usize / 4)
        }
        _ => 0,
    }
}

/// Words from one element of an array to the next. naga gives a bool a single byte, and here it has a word.
pub fn array_stride(module: &Module, base: Handle<Type>, stride: u32) -> usize {
    (stride as usize / 4).max(words(module, &module.types[base].inner)).max(1)
}

/// The first word of member number `index` of a struct.
pub fn member_offset(module: &Module, inner: &TypeInner, index: usize) -> usize {
    let TypeInner::Struct { members, .. } = inner else { return 0 };
    let mut end = 0;
    for (i, member) in members.iter().enumerate().take(index + 1) {
        let offset = (member.offset as usize / 4).max(end);
        if i == index {
            return offset;
        }
        end = offset + words(module, &module.types[member.ty].inner);
    }
    end
}

/// The element of a variable that word `offset` belongs to, as WGSL writes it: `[3][5]` or `.length`.
pub fn path(module: &Module, inner: &TypeInner, offset: usize) -> String {
    match inner {
        TypeInner::Array { base, stride, .. } => {
            let stride = array_stride(module, *base, *stride);
            let rest = path(module, &module.types[*base].inner, offset % stride);
            format!("[{}]{rest}", offset / stride)
        }
        TypeInner::Struct { members, .. } => {
            let within = |i: &usize| member_offset(module, inner, *i) <= offset;
            let Some(i) = (0..members.len()).rev().find(within) else { return String::new() };
            let rest = path(module, &module.types[members[i].ty].inner, offset - member_offset(module, inner, i));
            format!(".{}{rest}", members[i].name.as_deref().unwrap_or("?"))
        }
        _ => String::new(),
    }
}
