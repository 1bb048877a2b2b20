// Named by every translation of naga; what they use of it is in <metal_stdlib>.
#pragma once
