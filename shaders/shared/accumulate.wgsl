// One step of a register tile: BLOCKS·4 outputs × PIXELS pixels × 4 inputs, weights from texel `q` on.
#for m in 0..BLOCKS
            {
                let column = q + $mu * 4u;
                let a = mat4x4<f32>(load_w(column), load_w(column + 1u), load_w(column + 2u), load_w(column + 3u));
#for p in 0..PIXELS
                sum$m_$p += a * x$p;
#endfor
            }
#endfor
