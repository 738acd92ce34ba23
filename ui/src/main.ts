import '@fontsource-variable/inter/wght.css';
import '@fontsource-variable/jetbrains-mono/wght.css';
import './tokens.css';
import './styles/base.css';
import './styles/layers.css';
import './styles/controls.css';
import './styles/shell.css';
import { mount } from 'svelte';
import App from './app/App.svelte';
import { connectBackend } from './lib/ipc';

await connectBackend();

const target = document.getElementById('app');
if (!target) throw new Error('index.html has no #app');
mount(App, { target });
