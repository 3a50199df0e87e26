import { face } from '../vite.face';

export default face('anchor');
