// Row $1 of the windows over u, for channel block c. A 1×1 convolution computes it from x.
// takes: first, e{WEIGHTS}, x{STEPS}_$1_{COLUMNS}, width$1, activate
// leaves: v{COLUMNS}
#for k in 0..COLUMNS
            var u$k = e$(WEIGHTS);
#for i in 0..STEPS
            u$k += mat4x4(e$($i*4), e$($i*4+1), e$($i*4+2), e$($i*4+3)) * x$i_$1_$k;
#endfor
            // The padding is that of the depthwise convolution: zeros, whatever the bias.
            let v$k = select(vec4<f32>(), activate(INNER, u$k), first.x + $ku < width$1);
#endfor
