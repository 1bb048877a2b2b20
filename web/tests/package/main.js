import { Gradcam } from 'gradcam';
import weights from 'gradcam-efficientnet-lite0';
import { explains } from './explains.js';

explains(Gradcam, weights);
