import type { ThemeConfig } from 'antd';

/** The colours of base.css for antd's own parts. */
export const theme: ThemeConfig = {
  token: {
    colorPrimary: '#2f5d3a',
    colorInfo: '#2f5f87',
    colorError: '#a63420',
    colorWarning: '#8f5a00',
    colorSuccess: '#2f6b3c',
    colorText: '#1f2a1f',
    colorTextSecondary: '#565e52',
    colorTextDescription: '#565e52',
    colorTextPlaceholder: '#6b7166',
    colorBorder: '#cfcabb',
    colorBgLayout: '#f6f4ee',
    borderRadius: 6,
    fontFamily: 'var(--fw-font)',
    motion: false,
  },
};
