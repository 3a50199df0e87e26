export { type Asked, answers, asked } from '@furrow/shared/consent';
