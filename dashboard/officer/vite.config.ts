import { face } from '../vite.face.ts';

export default face('officer');
